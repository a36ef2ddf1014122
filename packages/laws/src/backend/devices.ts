import { CollimateError } from '@collimate/core'

/** What the laws of backends allow in float32, relative. */
export const float32Tolerance = 2e-5

/** What they allow of matrix products in float16, relative: 8 units in the last of its 11 bits. */
export const float16Tolerance = 2 ** -8

/**
 * The devices that the laws of a backend are checked on: those that every machine has, and those that environment
 * variables list, e.g. `{ COLLIMATE_ONNX_DEVICES: 'webgpu,cuda' }`.
 *
 * @throws CollimateError COLLIMATE_OPTION_INVALID for a name that is no device
 */
export function devicesToCheck<Device extends string>(
  variables: Readonly<Record<string, string | undefined>>,
  { always, known }: { readonly always: readonly Device[]; readonly known: readonly Device[] },
): Device[] {
  const wanted = new Set(always)
  for (const [variable, listed = ''] of Object.entries(variables))
    for (const name of listed.split(',').map((part) => part.trim())) {
      const device = known.find((one) => one === name)
      if (device !== undefined) wanted.add(device)
      else if (name !== '')
        throw new CollimateError('COLLIMATE_OPTION_INVALID', `${variable} names ${name}`, {
          hint: `it is a list of ${known.join(', ')}`,
        })
    }
  return [...wanted]
}
