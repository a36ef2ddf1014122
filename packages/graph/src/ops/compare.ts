import { requireDType, shapeError } from '../error.js'
import { allocate, expand } from '../kernels/strided.js'
import { broadcastShapes } from '../shapes.js'
import { applier, lift, liftPair, type Operand, type Tensor } from '../tensor.js'
import type { None } from '../types.js'
import { inferPair } from './arithmetic.js'
import { sumTo } from './reduce.js'
import type { Rule, Rules } from './rule.js'

/** Attributes of comparisons, logic and choice. */
export interface CompareAttributes {
  equal: None
  notEqual: None
  less: None
  lessEqual: None
  greater: None
  greaterEqual: None
  and: None
  or: None
  not: None
  where: None
}

function test(op: string, holds: (a: number, b: number) => boolean, operands: 'numbers' | 'bools'): Rule<None> {
  return {
    arity: 2,
    fused: false,
    noGradient: 'its value is a bool',
    infer: (inputs) => {
      const { shape } = operands === 'bools' ? inferPair(op, inputs, 'bool') : inferPair(op, inputs, 'float', 'int')
      return { dtype: 'bool', shape }
    },
    evaluate: ([x, y], _, { shape }) => {
      const a = expand(x, shape)
      const b = expand(y, shape)
      const out = new Uint8Array(a.length)
      for (let i = 0; i < out.length; i++) out[i] = holds(a[i], b[i]) ? 1 : 0
      return out
    },
  }
}

export const compare: Rules<CompareAttributes> = {
  equal: test('equal', (a, b) => a === b, 'numbers'),
  notEqual: test('notEqual', (a, b) => a !== b, 'numbers'),
  less: test('less', (a, b) => a < b, 'numbers'),
  lessEqual: test('lessEqual', (a, b) => a <= b, 'numbers'),
  greater: test('greater', (a, b) => a > b, 'numbers'),
  greaterEqual: test('greaterEqual', (a, b) => a >= b, 'numbers'),
  and: test('and', (a, b) => a !== 0 && b !== 0, 'bools'),
  or: test('or', (a, b) => a !== 0 || b !== 0, 'bools'),
  not: {
    arity: 1,
    fused: false,
    noGradient: 'its value is a bool',
    infer: (inputs) => {
      requireDType('not', inputs, 0, 'bool')
      return { dtype: 'bool', shape: inputs[0].shape }
    },
    evaluate: ([x]) => Uint8Array.from(x.data, (value) => (value === 0 ? 1 : 0)),
  },
  where: {
    arity: 3,
    fused: false,
    infer: (inputs) => {
      requireDType('where', inputs, 0, 'bool')
      requireDType('where', inputs, 2, inputs[1].dtype)
      const branches = broadcastShapes(inputs[1].shape, inputs[2].shape)
      const shape = branches && broadcastShapes(inputs[0].shape, branches)
      if (!shape) throw shapeError('where', inputs, 'these shapes do not broadcast')
      return { dtype: inputs[1].dtype, shape }
    },
    evaluate: ([condition, x, y], _, { dtype, shape }) => {
      const taken = expand(condition, shape)
      const a = expand(x, shape)
      const b = expand(y, shape)
      const out = allocate(dtype, a.length)
      for (let i = 0; i < out.length; i++) out[i] = taken[i] !== 0 ? a[i] : b[i]
      return out
    },
    // Chosen, not multiplied by the condition: a cotangent that is not finite stays on its own side.
    gradient: (g, [condition, a, b]) => [
      undefined,
      sumTo(where(condition, g, 0), a.shape),
      sumTo(where(condition, 0, g), b.shape),
    ],
  },
}
const apply = applier<CompareAttributes>(compare)

export const equal = (a: Operand, b: Operand): Tensor => apply('equal', liftPair('equal', a, b), {})
export const notEqual = (a: Operand, b: Operand): Tensor => apply('notEqual', liftPair('notEqual', a, b), {})
export const less = (a: Operand, b: Operand): Tensor => apply('less', liftPair('less', a, b), {})
export const lessEqual = (a: Operand, b: Operand): Tensor => apply('lessEqual', liftPair('lessEqual', a, b), {})
export const greater = (a: Operand, b: Operand): Tensor => apply('greater', liftPair('greater', a, b), {})
export const greaterEqual = (a: Operand, b: Operand): Tensor =>
  apply('greaterEqual', liftPair('greaterEqual', a, b), {})
export const and = (a: Operand, b: Operand): Tensor =>
  apply('and', [lift(a, 'bool', 'and'), lift(b, 'bool', 'and')], {})
export const or = (a: Operand, b: Operand): Tensor => apply('or', [lift(a, 'bool', 'or'), lift(b, 'bool', 'or')], {})
export const not = (x: Operand): Tensor => apply('not', [lift(x, 'bool', 'not')], {})
/** a where the condition holds, else b; all three broadcast. */
export const where = (condition: Tensor, a: Operand, b: Operand): Tensor =>
  apply('where', [condition, ...liftPair('where', a, b)], {})
