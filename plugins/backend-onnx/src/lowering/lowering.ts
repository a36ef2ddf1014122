import type { LoweringWith } from '@collimate/backends'
import type { DType, Shape } from '@collimate/core'
import type { GraphBuilder } from '../graph-builder.js'

/** A value of the ONNX graph under construction. */
export interface Value {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

/** Adds the nodes of one op to the graph and returns the name of its value. */
export type Lowering<Attributes> = LoweringWith<GraphBuilder, Value, string, Attributes>

/** How each op of a family is written in ONNX; `decompose` where its decomposition in @collimate/graph serves as well. */
export type Lowerings<Table> = { readonly [Op in keyof Table]: Lowering<Table[Op]> | 'decompose' }

/** Names of values, in order. */
export const names = (inputs: readonly Value[]): string[] => inputs.map(({ name }) => name)

/** An op that ONNX has under another name, without attributes. */
export const plain =
  (type: string): Lowering<unknown> =>
  (graph, inputs) =>
    graph.emit(type, names(inputs))

export { only } from '@collimate/backends'
