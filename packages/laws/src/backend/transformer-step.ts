import type { TensorData } from '@collimate/core'
import {
  add,
  attend,
  cast,
  constant,
  gather,
  gelu,
  headLogProbs,
  input,
  layerNorm,
  logSigmoid,
  matmul,
  mean,
  mul,
  neg,
  reshape,
  rmsNorm,
  rotary,
  sub,
  sum,
  swiglu,
  type Tensor,
  transpose,
  where,
} from '@collimate/graph'

/** A preference loss on a transformer layer of random sizes: every family of ops in one expression. */
export interface TransformerStep {
  readonly loss: Tensor
  readonly weights: readonly { readonly name: string; readonly tensor: Tensor }[]
  /** Weights (states) and token ids (feeds) by name, in float32. */
  readonly values: Readonly<Record<string, TensorData>>
  /** For people. */
  readonly sizes: string
}

export function transformerStep(random: () => number): TransformerStep {
  const pick = (low: number, high: number) => low + Math.floor(random() * (high - low + 1))
  const [batch, heads, width, half, inner, vocabulary] = [2, pick(1, 3), pick(2, 6), pick(1, 3), pick(2, 7), pick(3, 9)]
  const size = heads * 2 * half
  const tokens = batch * width
  const values: Record<string, TensorData> = {}
  const weights: { name: string; tensor: Tensor }[] = []
  const weight = (name: string, ...shape: number[]): Tensor => {
    values[name] = Float32Array.from({ length: product(shape) }, () => random() - 0.5)
    const tensor = input(name, shape, 'float', 'state')
    weights.push({ name, tensor })
    return tensor
  }
  const ints = (name: string, shape: number[], end: number): Tensor => {
    values[name] = Int32Array.from({ length: product(shape) }, () => pick(0, end - 1))
    return input(name, shape, 'int')
  }
  const table = (): Tensor => constant(Float64Array.from({ length: 8 * half }, random), [8, half])

  const embedding = weight('embedding', vocabulary, size)
  const x = gather(embedding, ints('tokens', [tokens], vocabulary))
  const normed = rmsNorm(x, weight('gain', size), 1e-2)
  const [cos, sin, positions] = [table(), table(), ints('positions', [batch, width], 8)]
  const project = (name: string): Tensor => {
    const rows = matmul(normed, weight(name, size, size), { transposeB: true })
    return transpose(reshape(rows, [batch, width, heads, 2 * half]), [0, 2, 1, 3])
  }
  const [q, k, v] = [rotary(project('q'), cos, sin, positions), rotary(project('k'), cos, sin, positions), project('v')]
  const causal = Int32Array.from({ length: width * width }, (_, i) => (i % width <= Math.floor(i / width) ? 1 : 0))
  const scores = where(
    cast(constant(causal, [1, 1, width, width]), 'bool'),
    matmul(q, k, { transposeB: true, scale: 0.5 }),
    -1e9,
  )
  const mixed = reshape(transpose(attend(scores, v), [0, 2, 1, 3]), [tokens, size])
  const residual = add(x, matmul(mixed, weight('o', size, size)))
  const again = layerNorm(residual, weight('gain2', size), weight('bias', size), 1e-2)
  const up = gelu(matmul(again, weight('up', size, inner)), 'tanh')
  const gated = swiglu(matmul(again, weight('gate', size, inner)), up)
  const hidden = add(residual, matmul(gated, weight('down', inner, size)))
  const logProbs = headLogProbs(hidden, embedding, ints('targets', [tokens], vocabulary), 0.7)
  const sequences = sum(reshape(logProbs, [batch, width]), 1)
  const margin = sub(gather(sequences, constant(0, [], 'int')), gather(sequences, constant(1, [], 'int')))
  const loss = add(neg(logSigmoid(mul(margin, 0.3))), mul(mean(logProbs), -0.5))
  const sizes = `a layer of width ${size}, ${heads} heads, ${inner} inner units, ${vocabulary} tokens in the vocabulary, ${width} in a row`
  return { loss, weights, values, sizes }
}

const product = (shape: readonly number[]): number => shape.reduce((total, length) => total * length, 1)
