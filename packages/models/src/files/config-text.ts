import type { JsonObject } from '../json-object.js'

/** A config.json as transformers writes it: JSON.parse reads 10000.0 as 10000, and it wants a float in these fields. */
export function configText(json: JsonObject): string {
  const text = JSON.stringify(json, null, 2).replace(
    /"(rope_theta|factor|low_freq_factor|high_freq_factor|\w+_pdrop|\w*dropout|\w+_eps|\w+_epsilon|initializer_range)": (-?\d+)(?=[,\s])/g,
    '"$1": $2.0',
  )
  return `${text}\n`
}
