// Functions of one row of the last axis, for tensors as rows of `width` values.

/** max + log(sum(exp(x - max))) of data[start .. start + width). */
export function rowLogSumExp(data: ArrayLike<number>, start: number, width: number): number {
  let max = -Infinity
  for (let i = start; i < start + width; i++) if (data[i] > max) max = data[i]
  if (max === -Infinity) return rowHasNaN(data, start, width) ? NaN : -Infinity
  let sum = 0
  for (let i = start; i < start + width; i++) sum += Math.exp(data[i] - max)
  return max + Math.log(sum)
}

function rowHasNaN(data: ArrayLike<number>, start: number, width: number): boolean {
  for (let i = start; i < start + width; i++) if (Number.isNaN(data[i])) return true
  return false
}

/** Softmax of each row. */
export function softmaxRows(data: ArrayLike<number>, width: number): Float64Array {
  const out = new Float64Array(data.length)
  for (let start = 0; start < data.length; start += width) {
    let max = -Infinity
    for (let i = start; i < start + width; i++) if (data[i] > max) max = data[i]
    let sum = 0
    for (let i = start; i < start + width; i++) sum += out[i] = Math.exp(data[i] - max)
    for (let i = start; i < start + width; i++) out[i] /= sum
  }
  return out
}
