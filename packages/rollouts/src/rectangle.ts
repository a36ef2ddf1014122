/** Rows of different lengths as one rectangle, [rows · width] row-major, as estimators want them. */
export interface Rectangle {
  readonly rows: number
  readonly width: number
  readonly data: Float64Array
}

/** Puts rows side by side, each from its first slot on; slots behind the end of a row hold 0. */
export function rectangle(ragged: readonly ArrayLike<number>[]): Rectangle {
  const width = ragged.reduce((most, { length }) => Math.max(most, length), 1)
  const data = new Float64Array(ragged.length * width)
  ragged.forEach((row, at) => data.set(Array.from(row), at * width))
  return { rows: ragged.length, width, data }
}

/** The rows of a rectangle again, by their lengths. */
export function ragged(data: Float64Array, lengths: readonly number[]): Float64Array[] {
  const width = lengths.length === 0 ? 0 : data.length / lengths.length
  return lengths.map((length, row) => data.slice(row * width, row * width + length))
}
