import { chosenLowering } from '@collimate/backends'
import type { OpAttributes, OpName } from '@collimate/graph'
import type { Device } from '../providers.js'
import { elementwise } from './elementwise.js'
import { onCuda, onDevices, onWebgpu } from './devices.js'
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

/** What a device needs otherwise: it lacks a kernel, or its kernel loses digits. The graphs of the CPU are not touched. */
const exceptions: Readonly<Record<Device, Partial<Lowerings<OpAttributes>>>> = {
  cpu: {},
  cuda: { ...onDevices, ...onCuda },
  webgpu: { ...onDevices, ...onWebgpu },
  coreml: onDevices,
  dml: onDevices,
}

/** The lowering of an op; undefined where it is decomposed. */
export function loweringOf(op: OpName, device: Device): Lowering<unknown> | undefined {
  return chosenLowering<Lowering<unknown>>(op, exceptions[device], lowerings)
}
