import type { OpAttributes } from '@collimate/graph'
import { product } from './linear-algebra.js'
import { names, only, type Lowerings } from './lowering.js'

/** Normalisation, attention and likelihood of tokens. */
export const nn: Lowerings<
  Pick<
    OpAttributes,
    'softmax' | 'logSoftmax' | 'rmsNorm' | 'layerNorm' | 'rotary' | 'attend' | 'tokenLogProbs' | 'headLogProbs'
  >
> = {
  softmax: (graph, inputs) => graph.emit('Softmax', names(inputs), { attributes: { axis: { int: -1 } } }),
  logSoftmax: (graph, inputs) => graph.emit('LogSoftmax', names(inputs), { attributes: { axis: { int: -1 } } }),
  // ONNX Runtime registers this one in the standard domain, although the standard does not have it.
  rmsNorm: (graph, inputs, { epsilon }) =>
    graph.emit('SimplifiedLayerNormalization', names(inputs), {
      attributes: { axis: { int: -1 }, epsilon: { float: epsilon }, stash_type: { int: 1 } },
    }),
  layerNorm: (graph, inputs, { epsilon }) =>
    graph.emit('LayerNormalization', names(inputs), {
      attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
    }),
  rotary: (graph, inputs) => {
    const [x, cos, sin, positions] = [only(inputs, 0), only(inputs, 1), only(inputs, 2), only(inputs, 3)]
    // The kernel wants tables at least as long as a row, also where positions restart within it.
    const missing = (x.shape[2] ?? 0) - (cos.shape[0] ?? 0)
    const table = (name: string) =>
      missing > 0 ? graph.emit('Pad', [name, graph.list([0, 0, missing, 0]), graph.scalar(0)]) : name
    return graph.emit('RotaryEmbedding', [x.name, graph.wide(positions.name), table(cos.name), table(sin.name)], {
      domain: 'com.microsoft',
      attributes: { interleaved: { int: 0 } },
    })
  },
  attend: (graph, inputs) => {
    const [scores, values] = [only(inputs, 0), only(inputs, 1)]
    const name = graph.emit('Softmax', [scores.name], { attributes: { axis: { int: -1 } } })
    return product(graph, { ...scores, name }, values, { transposeA: false, transposeB: false, scale: 1 })
  },
  // Decomposed: the derivative shares the log-softmax.
  tokenLogProbs: 'decompose',
  headLogProbs: 'decompose',
}
