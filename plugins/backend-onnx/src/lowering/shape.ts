import type { OpAttributes } from '@collimate/graph'
import { names, only, type Lowerings } from './lowering.js'

/** Constants, and ops that move values without computing. */
export const shape: Lowerings<
  Pick<OpAttributes, 'constant' | 'reshape' | 'transpose' | 'broadcastTo' | 'slice' | 'concat' | 'pad'>
> = {
  constant: (graph, _, { data, shape: to }, { dtype }) => graph.constant(data, dtype, to),
  // allowzero: a 0 means no elements, not "as before".
  reshape: (graph, inputs, { shape: to }) =>
    graph.emit('Reshape', [only(inputs).name, graph.list(to)], { attributes: { allowzero: { int: 1 } } }),
  transpose: (graph, inputs, { permutation }) =>
    graph.emit('Transpose', names(inputs), { attributes: { perm: { ints: permutation } } }),
  broadcastTo: (graph, inputs, { shape: to }) => graph.emit('Expand', [only(inputs).name, graph.list(to)]),
  slice: (graph, inputs, { starts, ends }) => {
    const { name, shape: from } = only(inputs)
    // Axes that stay whole are left out: kernels are faster with fewer.
    const cut = from.map((_, axis) => axis).filter((axis) => starts[axis] !== 0 || ends[axis] !== from[axis])
    const at = (list: readonly number[]) => graph.list(cut.map((axis) => list[axis] ?? 0))
    return cut.length === 0 ? name : graph.emit('Slice', [name, at(starts), at(ends), graph.list(cut)])
  },
  concat: (graph, inputs, { axis }) => graph.emit('Concat', names(inputs), { attributes: { axis: { int: axis } } }),
  pad: (graph, inputs, { before, after, value }, { dtype }) =>
    graph.emit('Pad', [only(inputs).name, graph.list([...before, ...after]), graph.scalar(value, dtype)]),
}
