import { CollimateError } from '@collimate/core'
import type { LawSuite } from '../suite.js'
import { lawsOfBackend, type BackendLawsOptions } from './index.js'

/** What the laws of backends allow in float32, relative. */
export const float32Tolerance = 2e-5

/**
 * The devices that the laws of a backend are checked on: those that every machine has, and those that an environment
 * variable lists, e.g. `webgpu,cuda`.
 *
 * @throws CollimateError COLLIMATE_OPTION_INVALID for a name that is no device
 */
export function devicesToCheck<Device extends string>(
  variable: string,
  { always, known }: { readonly always: readonly Device[]; readonly known: readonly Device[] },
): Device[] {
  const named = (process.env[variable] ?? '').split(',').map((name) => name.trim())
  const wanted = new Set<string>([...always, ...named])
  wanted.delete('')
  return [...wanted].map((name) => {
    const device = known.find((one) => one === name)
    if (device !== undefined) return device
    throw new CollimateError('COLLIMATE_OPTION_INVALID', `${variable} names ${name}`, {
      hint: `it is a list of ${known.join(', ')}`,
    })
  })
}

export interface DeviceLawsOptions extends Pick<BackendLawsOptions, 'name' | 'create' | 'claims'> {
  readonly device: string
  /** Whether the device works here. */
  readonly starts: boolean
}

/** The laws of backends, in float32, on a device. One that does not start fails its suite. */
export function lawsOnDevice({ name, device, starts, create, claims = {} }: DeviceLawsOptions): LawSuite {
  const subject = `${name} (${device})${starts ? '' : ', which does not start'}`
  const suite = lawsOfBackend({ name: subject, create, tolerance: float32Tolerance, claims })
  // One failure that says what is missing, instead of one in each law.
  return starts ? suite : { ...suite, laws: suite.laws.filter((law) => law.name === 'backend/device') }
}
