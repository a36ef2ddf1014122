import type { OpAttributes } from '@collimate/graph'
import { names, type Lowerings } from './lowering.js'

/** Reading and writing at computed places. */
export const indexing: Lowerings<Pick<OpAttributes, 'gather' | 'takeAlong' | 'scatterAdd'>> = {
  gather: (graph, inputs, { axis }) => graph.emit('Gather', names(inputs), { attributes: { axis: { int: axis } } }),
  takeAlong: (graph, inputs, { axis }) =>
    graph.emit('GatherElements', names(inputs), { attributes: { axis: { int: axis } } }),
  // Never ScatterND: with duplicate indices and two threads its sums are wrong on the CPU provider.
  scatterAdd: (graph, inputs, { axis }) =>
    graph.emit('ScatterElements', names(inputs), { attributes: { axis: { int: axis }, reduction: { text: 'add' } } }),
}
