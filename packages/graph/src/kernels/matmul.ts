import { readView } from './strided.js'

/** One product of a batch: sizes, offsets into the operands and flags. */
export interface Product {
  readonly rows: number
  readonly inner: number
  readonly columns: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly scale: number
}

/** out[rows, columns] = scale · op(a)[rows, inner] · op(b)[inner, columns], from the given offsets. */
export function multiply(
  out: Float64Array,
  outOffset: number,
  a: Float64Array,
  aOffset: number,
  b: Float64Array,
  bOffset: number,
  { rows, inner, columns, transposeA, transposeB, scale }: Product,
): void {
  if (transposeA) {
    a = readView(a, [rows, inner], [1, rows], aOffset) as Float64Array
    aOffset = 0
  }
  if (transposeB && columns > 1) {
    b = readView(b, [inner, columns], [1, inner], bOffset) as Float64Array
    bOffset = 0
  }
  for (let i = 0; i < rows; i++) {
    const row = outOffset + i * columns
    const end = row + columns
    const from = aOffset + i * inner
    let k = 0
    // Four rows of b at a time: a quarter of the reads and writes of the result.
    for (; k + 3 < inner; k += 4) {
      const [f0, f1, f2, f3] = [
        scale * a[from + k],
        scale * a[from + k + 1],
        scale * a[from + k + 2],
        scale * a[from + k + 3],
      ]
      let b0 = bOffset + k * columns
      for (let to = row; to < end; to++, b0++) {
        out[to] += f0 * b[b0] + f1 * b[b0 + columns] + f2 * b[b0 + 2 * columns] + f3 * b[b0 + 3 * columns]
      }
    }
    for (; k < inner; k++) {
      const factor = scale * a[from + k]
      let b0 = bOffset + k * columns
      for (let to = row; to < end; to++) out[to] += factor * b[b0++]
    }
  }
}
