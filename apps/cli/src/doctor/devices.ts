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
  /** Precisions to choose from; absent where there is one. */
  readonly precisions?: readonly string[]
}

/** Every device that an installed backend names in its manifest. */
export function backendDevices(plugins: readonly Plugin[]): BackendDevice[] {
  return plugins.flatMap(({ definition: { kind, name: backend, capabilities, options } }) => {
    if (kind !== 'backend') return []
    const rows = optionRows(options)
    const devices = Array.isArray(capabilities?.['devices']) ? capabilities['devices'] : []
    const precisions = rows.find(({ key }) => key === 'precision')?.takes.split('|')
    const one = { backend, ...(precisions && { precisions }) }
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

async function deviceCheck(tried: BackendDevice): Promise<Check> {
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
    const detail = await compute(tried)
    return { name: nameOf(tried), state: 'ok', detail: [detail, ...(await otherPrecisions(tried))].join('; ') }
  } catch (error) {
    const { message, hint } = error as CollimateError
    return { ...notWorking(tried), detail: message, ...(hint !== undefined && { hint }) }
  }
}

/** What becomes of the precisions that are not the default. */
async function otherPrecisions({ precisions = [], ...where }: BackendDevice): Promise<string[]> {
  const lines: string[] = []
  for (const precision of precisions.slice(1)) {
    const created = createBackend({ ...where, precision }).then((backend) => backend.close())
    lines.push(
      await created.then(
        () => `${precision} works`,
        (error: CollimateError) => error.message,
      ),
    )
  }
  return lines
}

async function compute({ backend: use, device }: BackendDevice): Promise<string> {
  const backend = await createBackend({ backend: use, device })
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
