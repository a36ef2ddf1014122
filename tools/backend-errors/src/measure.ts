import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CollimateError } from '@collimate/core'
import { errorsOfOps } from '@collimate/laws'
import type { Measurement } from './measurement.js'
import { providers, type Provider } from './providers.js'

/** Random applications of each op. */
export const cases = 16

/** Measures one provider in this process. */
export async function measureHere(name: string): Promise<Measurement> {
  const provider = providers.find((one) => one.name === name)
  if (!provider) throw new RangeError(`there is no provider ${name}`)
  try {
    const backend = await provider.open()
    try {
      const { precision } = await backend.capabilities()
      return { provider: name, precision, errors: await errorsOfOps(backend, { cases }) }
    } finally {
      await backend.close()
    }
  } catch (error) {
    if (!(error instanceof CollimateError)) throw error
    return { provider: name, reason: error.hint === undefined ? error.message : `${error.message}; ${error.hint}` }
  }
}

/** Measures a provider in a process of its own: drivers read their environment at its start, and may abort it. */
export async function measureApart({ name, instead }: Provider): Promise<Measurement> {
  const plain = await inProcess(name, {})
  if ('errors' in plain || !instead) return plain
  const other = await inProcess(name, instead.environment)
  return 'errors' in other ? { ...other, note: instead.note } : plain
}

async function inProcess(name: string, environment: Readonly<Record<string, string>>): Promise<Measurement> {
  const command = [...process.execArgv, process.argv[1] ?? '', '--provider', name]
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command, {
      env: { ...process.env, ...environment },
      maxBuffer: 2 ** 26,
    })
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measurement
  } catch (error) {
    const { signal, stderr } = error as { signal?: string | null; stderr?: string }
    const said = stderr?.trim().split('\n').at(-1)
    return { provider: name, reason: signal ? `its process ended by ${signal}` : `its process failed: ${said}` }
  }
}
