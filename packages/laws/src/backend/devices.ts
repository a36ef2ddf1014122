import { CollimateError } from '@collimate/core'

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
