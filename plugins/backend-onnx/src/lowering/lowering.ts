import type { DType, Shape } from '@collimate/core'
import type { GraphBuilder } from '../graph-builder.js'

/** A value of the ONNX graph under construction. */
export interface Value {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

/** Adds the nodes of one op to the graph and returns the name of its value. */
export type Lowering<Attributes> = (
  graph: GraphBuilder,
  inputs: readonly Value[],
  attributes: Attributes,
  output: { readonly dtype: DType; readonly shape: Shape },
) => string

/** How each op of a family is written in ONNX; `decompose` where its decomposition in @collimate/graph serves as well. */
export type Lowerings<Table> = { readonly [Op in keyof Table]: Lowering<Table[Op]> | 'decompose' }

/** Names of values, in order. */
export const names = (inputs: readonly Value[]): string[] => inputs.map(({ name }) => name)

/** An op that ONNX has under another name, without attributes. */
export const plain =
  (type: string): Lowering<unknown> =>
  (graph, inputs) =>
    graph.emit(type, names(inputs))

export function only(inputs: readonly Value[], index = 0): Value {
  const value = inputs[index]
  if (!value) throw new RangeError(`operand ${index} is missing`)
  return value
}
