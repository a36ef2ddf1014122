import type { DType, Shape } from '@collimate/core'
import type { OpName } from '@collimate/graph'

/** Writes one op with what a backend has for it: adds to `builder`, and gives what stands for the op's value. */
export type LoweringWith<Builder, Value, Result, Attributes> = (
  builder: Builder,
  inputs: readonly Value[],
  attributes: Attributes,
  output: { readonly dtype: DType; readonly shape: Shape },
) => Result

/** The operand of an op that has one, or the one at a position. */
export function only<Value>(inputs: readonly Value[], index = 0): Value {
  const value = inputs[index]
  if (value === undefined) throw new RangeError(`operand ${index} is missing`)
  return value
}

/** The first answer of `tables` for an op; undefined where that is to decompose it. */
export function chosenLowering<Lowering>(
  op: OpName,
  ...tables: readonly Readonly<Partial<Record<OpName, unknown>>>[]
): Lowering | undefined {
  const lowering = tables.map((table) => table[op]).find((answer) => answer !== undefined)
  return lowering === 'decompose' ? undefined : (lowering as Lowering | undefined)
}
