import { chosenLowering } from '@collimate/backends'
import type { OpAttributes, OpName } from '@collimate/graph'
import type { Provider } from '../devices.js'
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

/** What a provider needs otherwise: it lacks a kernel, or its kernel is slow or loses digits. */
const exceptions: Readonly<Record<Provider, Partial<Lowerings<OpAttributes>>>> = {
  node: {},
  // Its Log1p is the log of 1 + x as rounded.
  wasm: { log1p: 'decompose' },
  cpu: {},
}

/** The lowering of an op; undefined where it is decomposed. */
export function loweringOf(op: OpName, provider: Provider): Lowering<unknown> | undefined {
  return chosenLowering<Lowering<unknown>>(op, exceptions[provider], lowerings)
}
