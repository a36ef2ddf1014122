import type { OpAttributes } from '@collimate/graph'
import { names, only, type Lowering, type Lowerings } from './lowering.js'

/** A reduction over axes that ONNX takes as second input. */
const over =
  (type: string): Lowering<{ readonly axes: readonly number[]; readonly keepDims: boolean }> =>
  (graph, inputs, { axes, keepDims }) => {
    const { name } = only(inputs)
    if (axes.length === 0) return name
    return graph.emit(type, [name, graph.list(axes)], { attributes: { keepdims: { int: Number(keepDims) } } })
  }

/** Ops along axes. */
export const reduce: Lowerings<
  Pick<OpAttributes, 'sum' | 'max' | 'argmax' | 'cumsum' | 'sortDescending' | 'logSumExp'>
> = {
  sum: over('ReduceSum'),
  max: over('ReduceMax'),
  argmax: (graph, inputs, { axis }) => {
    const index = graph.emit('ArgMax', names(inputs), { attributes: { axis: { int: axis }, keepdims: { int: 0 } } })
    return graph.cast(index, 'int32')
  },
  cumsum: (graph, inputs, { axis, reverse }) =>
    graph.emit('CumSum', [only(inputs).name, graph.scalar(axis, 'int')], {
      attributes: { reverse: { int: Number(reverse) } },
    }),
  sortDescending: (graph, inputs, { k }) =>
    graph.emit('TopK', [only(inputs).name, graph.list([k])], { attributes: { axis: { int: -1 } }, unread: 1 }),
  logSumExp: (graph, inputs, { axis }) =>
    graph.emit('ReduceLogSumExp', [only(inputs).name, graph.list([axis])], { attributes: { keepdims: { int: 0 } } }),
}
