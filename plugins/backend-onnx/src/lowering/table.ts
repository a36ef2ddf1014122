import type { OpAttributes, OpName } from '@collimate/graph'
import type { Device } from '../providers.js'
import { elementwise } from './elementwise.js'
import { indexing } from './indexing.js'
import { linearAlgebra } from './linear-algebra.js'
import type { Lowering, Lowerings } from './lowering.js'
import { nn } from './nn.js'
import { reduce } from './reduce.js'
import { shape } from './shape.js'

/** Every op: one without an answer here does not compile. */
export const lowerings: Lowerings<OpAttributes> = {
  ...elementwise,
  ...shape,
  ...indexing,
  ...reduce,
  ...linearAlgebra,
  ...nn,
}

/** Ops that a device lacks a kernel for, and whose decomposition it has: they would fall back to the CPU, with copies. */
const decomposedOn: Readonly<Record<Device, ReadonlySet<OpName>>> = {
  cpu: new Set(),
  cuda: new Set(),
  webgpu: new Set<OpName>(['logSoftmax']),
  coreml: new Set(),
  dml: new Set(),
}

/** The lowering of an op; undefined where it is decomposed. */
export function loweringOf(op: OpName, device: Device): Lowering<unknown> | undefined {
  const lowering = lowerings[op]
  return lowering === 'decompose' || decomposedOn[device].has(op) ? undefined : (lowering as Lowering<unknown>)
}
