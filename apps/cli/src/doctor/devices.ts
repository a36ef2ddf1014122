import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CollimateError } from '@collimate/core'
import type { Plugin } from '@collimate/core'
import { input, program, sum } from '@collimate/graph'
import { createBackend } from '../create.js'
import { optionRows } from '../flags.js'
import type { Check } from './checks.js'

/** A device of an installed backend. */
export interface BackendDevice {
  readonly backend: string
  /** Absent where the backend has nothing to choose. */
  readonly device?: string
  /** Precision to try; absent for the default. */
  readonly precision?: string
  /** Precisions to choose from beside the default. */
  readonly others?: readonly string[]
}

/** Every device that an installed backend names in its manifest. */
export function backendDevices(plugins: readonly Plugin[]): BackendDevice[] {
  return plugins.flatMap(({ definition: { kind, name: backend, capabilities, options } }) => {
    if (kind !== 'backend') return []
    const rows = optionRows(options)
    const devices = Array.isArray(capabilities?.['devices']) ? capabilities['devices'] : []
    const precision = rows.find(({ key }) => key === 'precision')
    const others = precision?.takes.split('|').filter((name) => name !== precision.default)
    const one = { backend, ...(others && { others }) }
    const choice = rows.some(({ key }) => key === 'device')
    return choice ? devices.map((device) => ({ ...one, device: String(device) })) : [one]
  })
}

/** Tries devices, each in a process of its own, since a broken driver may abort it; those of one backend in turn. */
export async function deviceChecks(devices: readonly BackendDevice[]): Promise<Check[]> {
  const backends = [...new Set(devices.map(({ backend }) => backend))]
  const inTurn = async (backend: string): Promise<Check[]> => {
    const checks: Check[] = []
    for (const one of devices) if (one.backend === backend) checks.push(await deviceCheck(one))
    return checks
  }
  return (await Promise.all(backends.map(inTurn))).flat()
}

/** Where the device works, its other precisions are tried too. */
async function deviceCheck({ others = [], ...device }: BackendDevice): Promise<Check> {
  const check = await tryApart(device)
  if (check.state !== 'ok') return check
  const details = [check.detail]
  for (const precision of others) {
    const { state, detail } = await tryApart({ ...device, precision })
    details.push(state === 'ok' ? `${precision} works` : detail)
  }
  return { ...check, detail: details.join('; ') }
}

async function tryApart(tried: BackendDevice): Promise<Check> {
  const probe = [...process.execArgv, process.argv[1], 'doctor', '--probe', JSON.stringify(tried)]
  try {
    const { stdout } = await promisify(execFile)(process.execPath, probe, { timeout: 60_000 })
    return JSON.parse(stdout) as Check
  } catch (error) {
    const { signal } = error as { signal?: string | null }
    const detail = typeof signal === 'string' ? `the trial ended by ${signal}` : 'the trial failed'
    return { ...notWorking(tried), detail, hint: 'its driver may be broken' }
  }
}

/** Runs a small program on a device and looks at what it computes; `text` is a `BackendDevice` as JSON. */
export async function probeDevice(text: string): Promise<Check> {
  const tried = JSON.parse(text) as BackendDevice
  try {
    return { name: nameOf(tried), state: 'ok', detail: await compute(tried) }
  } catch (error) {
    const { message, hint } = error as CollimateError
    return { ...notWorking(tried), detail: message, ...(hint !== undefined && { hint }) }
  }
}

async function compute(tried: BackendDevice): Promise<string> {
  const backend = await createBackend(tried)
  try {
    const x = input('x', [4])
    const executable = await backend.compile({ program: program({ name: 'probe', outputs: { y: sum(x) } }) })
    const { y } = await backend.run({ executable, feeds: { x: Float32Array.of(1, 2, 3, 4) } })
    if (y[0] !== 10) throw new CollimateError('COLLIMATE_DEVICE_WRONG', `it computes wrongly: 1 + 2 + 3 + 4 = ${y[0]}`)
    const { precision, threads } = await backend.capabilities()
    const counted = threads === undefined ? '' : `, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
    return `works, ${precision}${counted}`
  } finally {
    await backend.close()
  }
}

export const nameOf = ({ backend, device }: BackendDevice): string =>
  device === undefined ? backend : `${backend} ${device}`

/** What commands compute on where nothing else is said has to work. */
const essential = 'onnx cpu'

function notWorking(tried: BackendDevice): Pick<Check, 'name' | 'state'> {
  const name = nameOf(tried)
  return { name, state: name === essential ? 'missing' : 'absent' }
}
