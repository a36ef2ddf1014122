/**
 * Rounds a size up to one of few: multiples of 8 up to 64, then four steps to each doubling (80, 96, 112, 128, 160, ...).
 * Programs are compiled per shape, so few shapes are few compilations; at most a quarter is padded above 64.
 */
export function bucketSize(size: number): number {
  if (size <= 64) return Math.max(8, Math.ceil(size / 8) * 8)
  const step = 2 ** (Math.ceil(Math.log2(size)) - 3)
  return Math.ceil(size / step) * step
}
