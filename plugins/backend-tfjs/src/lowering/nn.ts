import { type OpAttributes, sizeOf } from '@collimate/graph'
import type { KernelBuilder, Value } from '../kernel-builder.js'
import { product } from './linear-algebra.js'
import { type Lowerings, only } from './lowering.js'
import { sumRows } from './reduce.js'

type Names = 'softmax' | 'logSoftmax' | 'rmsNorm' | 'layerNorm' | 'rotary' | 'attend' | 'tokenLogProbs' | 'headLogProbs'

function softmax(kernels: KernelBuilder, logits: Value): Value {
  return kernels.emit('Softmax', { logits }, { dim: logits.shape.length - 1 }, logits)
}

/** Normalisation, attention and likelihood of tokens. */
export const nn: Lowerings<Pick<OpAttributes, Names>> = {
  softmax: (kernels, inputs) => softmax(kernels, only(inputs)),
  attend: (kernels, inputs, _, { shape }) => {
    const flags = { transposeA: false, transposeB: false, scale: 1 }
    return product(kernels, softmax(kernels, only(inputs, 0)), only(inputs, 1), flags, shape)
  },
  // Not from log-sum-exp: what is far from 0 loses its digits there.
  logSoftmax: (kernels, inputs, _, output) => {
    const x = only(inputs)
    const width = x.shape[x.shape.length - 1] as number
    const count = sizeOf(x.shape) / width
    const rows = kernels.reshape(x, [count, width])
    const column = { dtype: 'float', shape: [count, 1] } as const
    const subtract = (a: Value, b: Value) =>
      kernels.emit('Sub', { a, b: kernels.provider === 'cpu' ? kernels.broadcast(b, a.shape) : b }, {}, a)
    const top = kernels.emit('Max', { x: rows }, { reductionIndices: [1], keepDims: true }, column)
    const below = subtract(rows, top)
    const weights = kernels.emit('Exp', { x: below }, {}, below)
    const total = kernels.reshape(sumRows(kernels, weights), [count, 1])
    return kernels.reshape(subtract(below, kernels.emit('Log', { x: total }, {}, column)), output.shape)
  },
  // No provider has kernels of these.
  rmsNorm: 'decompose',
  layerNorm: 'decompose',
  rotary: 'decompose',
  tokenLogProbs: 'decompose',
  headLogProbs: 'decompose',
}
