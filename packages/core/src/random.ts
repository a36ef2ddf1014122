/**
 * Counter-based random numbers: a value is a pure function of (seed, stream, index), so it depends neither on batch
 * layout nor on threads nor on resumption.
 *
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * Key = seed (low word, high word); counter = index (low, high), stream (low, high). One block has four words: `uniform`
 * reads word 0, `fraction` words 0 and 1, `normal` words 2 and 3. Seeds, streams and indices are safe integers.
 */

const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85
const ROUNDS = 10
const WORD = 2 ** 32

/** High 32 bits of the product of two unsigned 32-bit integers, from 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = aLow * bHigh + (middle & 0xffff)
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0
}

/** Writes the four words of the block at counter (c0, c1, c2, c3) under key (k0, k1) into `out`. */
export function philox4x32(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

const block = new Uint32Array(4)
const high = (value: number): number => Math.floor(value / WORD) >>> 0

function fill(seed: number, stream: number, index: number): void {
  philox4x32(block, index >>> 0, high(index), stream >>> 0, high(stream), seed >>> 0, high(seed))
}

/** Uniform in [0, 1), a multiple of 2^-24: exactly representable in float32. */
export function uniform(seed: number, stream: number, index: number): number {
  fill(seed, stream, index)
  return (block[0] >>> 8) / 0x1000000
}

/** Uniform in [0, 1) with 53 bits, for choosing among many. */
export function fraction(seed: number, stream: number, index: number): number {
  fill(seed, stream, index)
  return ((block[0] >>> 5) * 0x4000000 + (block[1] >>> 6)) / 2 ** 53
}

/** Standard normal: Box and Muller, Ann. Math. Statist. 29 (1958); |value| < 6.8. */
export function normal(seed: number, stream: number, index: number): number {
  fill(seed, stream, index)
  const radius = Math.sqrt(-2 * Math.log((block[2] + 0.5) / WORD))
  return radius * Math.cos((2 * Math.PI * block[3]) / WORD)
}

/** A random order of 0 to n − 1: Fisher and Yates, in Durstenfeld's form. */
export function permutation(seed: number, stream: number, n: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(fraction(seed, stream, i) * (i + 1))
    const kept = order[i]
    order[i] = order[j]
    order[j] = kept
  }
  return order
}

/** What a stream is for: the high word of its number, so that uses with the same seed never share numbers. */
export const streamPurpose = {
  ...{ sampling: 0, order: 1, initialisation: 2, bootstrap: 3, split: 4, corpus: 5, miniBatches: 6 },
} as const

/** The `index`-th stream (0 to 2^32 − 1) of a purpose, e.g. the shuffle of epoch 3: `stream('order', 3)`. */
export function stream(purpose: keyof typeof streamPurpose, index = 0): number {
  return streamPurpose[purpose] * WORD + index
}
