import type { TensorData } from '@collimate/core'

/** A source of numbers in [0, 1) (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The same values as a float32 backend sees them, so that rounding the inputs is no difference. */
export function inFloat32(values: Readonly<Record<string, TensorData>>): Record<string, TensorData> {
  return Object.fromEntries(
    Object.entries(values).map(([name, data]) => [name, data instanceof Float64Array ? Float32Array.from(data) : data]),
  )
}

export function closeTo(actual: number, expected: number, tolerance: number): boolean {
  return Object.is(actual, expected) || Math.abs(actual - expected) <= tolerance * (1 + Math.abs(expected))
}
