import type { BackendCapabilities, TensorData } from '@collimate/core'
import { gradients, input, mul, type OpName, ops, sampleOp, sum, type Tensor } from '@collimate/graph'
import { seeded } from './draws.js'
import { asSeen } from './subject.js'

/** Expressions to compute, and the values of their inputs as the backend sees them. */
export interface OpCase {
  readonly outputs: Readonly<Record<string, Tensor>>
  readonly values: Readonly<Record<string, TensorData>>
}

type Precision = Pick<BackendCapabilities, 'precision'>

export const hasDerivative = (op: OpName): boolean =>
  op !== 'constant' && op !== 'stopGradient' && !('noGradient' in ops[op])

/** A random application of an op. */
export function valueCase(op: OpName, random: () => number, precision: Precision): OpCase {
  const { tensor, values } = sampleOp(op, random)
  return { outputs: { y: tensor }, values: asSeen(values, precision) }
}

/**
 * The derivative of Σ w·op(x), w random of `seed`, by each float input; undefined where a sample has none, as a cast to
 * whole numbers.
 */
export function derivativeCase(
  op: OpName,
  random: () => number,
  seed: number,
  precision: Precision,
): OpCase | undefined {
  const { tensor, values } = sampleOp(op, random)
  const wrt = [...leavesOf(tensor).entries()].filter(([, leaf]) => leaf.dtype === 'float')
  if (tensor.dtype !== 'float' || wrt.length === 0) return undefined
  const draw = seeded(seed)
  const weights = Float64Array.from({ length: tensor.size }, () => 2 * draw() - 1)
  const derivatives = gradients(
    sum(mul(tensor, input('weights', tensor.shape))),
    wrt.map(([, leaf]) => leaf),
  )
  return {
    outputs: Object.fromEntries(wrt.map(([name], i) => [name, derivatives[i]])),
    values: asSeen({ ...values, weights }, precision),
  }
}

/** The distinct inputs that an expression is made of, by name. */
export function leavesOf(tensor: Tensor, found = new Map<string, Tensor>()): Map<string, Tensor> {
  if (tensor.op === 'input') found.set(String(tensor.attributes.name), tensor)
  for (const operand of tensor.inputs) leavesOf(operand, found)
  return found
}
