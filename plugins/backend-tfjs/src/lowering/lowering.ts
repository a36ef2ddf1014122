import type { DType, Shape } from '@collimate/core'
import type { KernelBuilder, Value } from '../kernel-builder.js'

/** Adds the kernel calls of one op and returns its value. */
export type Lowering<Attributes> = (
  kernels: KernelBuilder,
  inputs: readonly Value[],
  attributes: Attributes,
  output: { readonly dtype: DType; readonly shape: Shape },
) => Value

/** How each op of a family is computed; `decompose` where its decomposition in @collimate/graph serves as well. */
export type Lowerings<Table> = { readonly [Op in keyof Table]: Lowering<Table[Op]> | 'decompose' }

export function only(inputs: readonly Value[], index = 0): Value {
  const value = inputs[index]
  if (!value) throw new RangeError(`operand ${index} is missing`)
  return value
}
