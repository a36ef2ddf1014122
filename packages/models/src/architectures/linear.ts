import { add, concat, matmul, slice, type Tensor } from '@collimate/graph'

export interface Linear {
  /** [out, in], or [in, out] where `inputFirst`. */
  readonly weight: Tensor
  /** [out] */
  readonly bias?: Tensor
}

/** x [rows, in] through a linear layer: [rows, out]. */
export function linear(x: Tensor, { weight, bias }: Linear, inputFirst = false): Tensor {
  const product = matmul(x, weight, { transposeB: !inputFirst })
  return bias ? add(product, bias) : product
}

/** Columns `begin` to `end` of a matrix. */
export function columns(x: Tensor, begin: number, end: number): Tensor {
  return slice(x, [0, begin], [x.shape[0], end])
}

/** Several linear layers ([out, in]) on the same x: one by one, or as one product with the weights joined. */
export function linears(x: Tensor, layers: readonly Linear[], join: boolean): Tensor[] {
  if (!join) return layers.map((layer) => linear(x, layer))
  const weight = concat(
    layers.map((layer) => layer.weight),
    0,
  )
  const biases = layers.flatMap((layer) => layer.bias ?? [])
  const all = linear(x, biases.length > 0 ? { weight, bias: concat(biases, 0) } : { weight })
  let end = 0
  return layers.map((layer) => {
    const begin = end
    end += layer.weight.shape[0]
    return columns(all, begin, end)
  })
}
