import type { HostTensor } from '@collimate/core'
import { createHash } from 'node:crypto'

/** SHA-256, hex, over names, shapes and float32 values in the order of the names: equal for equal weights. */
export function weightsHash(weights: Readonly<Record<string, HostTensor>>): string {
  const hash = createHash('sha256')
  for (const name of Object.keys(weights).sort()) {
    const { shape, data } = weights[name]
    const values = data instanceof Float32Array ? data : Float32Array.from(data)
    hash.update(JSON.stringify([name, shape]))
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }
  return hash.digest('hex')
}
