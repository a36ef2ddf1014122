import { GraphError } from './error.js'
import type { Rules } from './ops/rule.js'
import type { OpName } from './ops/table.js'
import { sizeOf } from './shapes.js'
import type { Attributes, DType, Shape, Typed } from './types.js'

/** A symbolic tensor: an op applied to other tensors. Immutable; equal expressions are merged when a program is made. */
export class Tensor implements Typed {
  constructor(
    readonly op: OpName | 'input',
    readonly inputs: readonly Tensor[],
    readonly attributes: Attributes,
    readonly dtype: DType,
    readonly shape: Shape,
  ) {}

  get rank(): number {
    return this.shape.length
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }
}

/** A tensor, or a number that stands for a scalar constant of the other operand's dtype (float where there is none). */
export type Operand = Tensor | number

/** The function that applies ops of one family. */
export function applier<Table>(rules: Rules<Table>) {
  return <K extends keyof Table & OpName>(
    op: K,
    inputs: readonly Tensor[],
    attributes: Table[K] & Attributes,
  ): Tensor => {
    const { dtype, shape } = rules[op].infer(inputs, attributes)
    return new Tensor(op, inputs, attributes, dtype, shape)
  }
}

/** A number as scalar constant of `dtype`; a tensor as it is. */
export function lift(operand: Operand, dtype: DType = 'float', op = 'constant'): Tensor {
  if (typeof operand !== 'number') return operand
  if (dtype === 'float') return scalar(Float64Array.of(operand), dtype)
  const whole = dtype === 'int' ? Int32Array.of(operand) : Uint8Array.of(operand)
  if (whole[0] === operand && (dtype === 'int' || operand <= 1)) return scalar(whole, dtype)
  throw new GraphError(
    'COLLIMATE_GRAPH_DTYPE',
    `${op}: ${operand} is not a value of dtype ${dtype}`,
    'convert the other operand with cast',
  )
}

function scalar(data: Float64Array | Int32Array | Uint8Array, dtype: DType): Tensor {
  return new Tensor('constant', [], { data, shape: [] }, dtype, [])
}

/** Two operands, a number taking the dtype of the other. */
export function liftPair(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const [dtypeA, dtypeB] = [a, b].map((operand) => (typeof operand === 'number' ? undefined : operand.dtype))
  return [lift(a, dtypeB, op), lift(b, dtypeA, op)]
}
