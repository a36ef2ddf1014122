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
    for (let k = 0; k < inner; k++) {
      const factor = scale * a[aOffset + i * inner + k]
      let from = bOffset + k * columns
      for (let to = row; to < end; to++) out[to] += factor * b[from++]
    }
  }
}
