import { reshape, transpose, type Tensor } from '@collimate/graph'

/** [B·S, heads·d] to [B, heads, S, d]. */
export function splitHeads(rows: Tensor, batch: number, heads: number): Tensor {
  const [count, width] = rows.shape as [number, number]
  return transpose(reshape(rows, [batch, count / batch, heads, width / heads]), [0, 2, 1, 3])
}

/** [B, heads, S, d] to [B·S, heads·d]. */
export function mergeHeads(x: Tensor): Tensor {
  const [batch, heads, length, size] = x.shape as [number, number, number, number]
  return reshape(transpose(x, [0, 2, 1, 3]), [batch * length, heads * size])
}
