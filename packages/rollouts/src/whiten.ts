/**
 * Shifts and scales the values that count to mean 0 and variance 1, as TRL's `masked_whiten`: (v − mean) / √(variance + 1e-8),
 * with Bessel's correction. With `keepMean` they are scaled alone (TRL's `shift_mean=False`). Masked slots become 0 and do
 * not matter, whatever they hold; fewer than two values have variance 0.
 */
export function whiten(
  values: Float64Array,
  mask: Uint8Array,
  { keepMean = false }: { readonly keepMean?: boolean } = {},
): Float64Array {
  let count = 0
  let total = 0
  values.forEach((value, slot) => {
    if (mask[slot] === 0) return
    count++
    total += value
  })
  const mean = count === 0 ? 0 : total / count
  let squares = 0
  values.forEach((value, slot) => {
    if (mask[slot] !== 0) squares += (value - mean) ** 2
  })
  const scale = 1 / Math.sqrt((count < 2 ? 0 : squares / (count - 1)) + 1e-8)
  return values.map((value, slot) => (mask[slot] === 0 ? 0 : (value - mean) * scale + (keepMean ? mean : 0)))
}
