import { requireDType, shapeError } from '../error.js'
import { gelu as geluErf, geluTanh, sigmoid as sigmoidOf } from '../kernels/special.js'
import { sameShape } from '../shapes.js'
import { applier, lift, type Operand, type Tensor } from '../tensor.js'
import type { None } from '../types.js'
import { add, mul, sub } from './arithmetic.js'
import { erf, exp, sigmoid, tanh } from './elementwise.js'
import type { Rules } from './rule.js'

/** `tanh` is the approximation 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), `erf` the exact function. */
export type GeluForm = 'tanh' | 'erf'

/** Attributes of activation functions. */
export interface ActivationAttributes {
  gelu: { readonly form: GeluForm }
  silu: None
  swiglu: None
}

const slope = Math.sqrt(2 / Math.PI)

/** The tanh inside the approximation. */
function geluGate(x: Tensor): Tensor {
  return tanh(mul(mul(x, add(mul(mul(x, x), 0.044715), 1)), slope))
}

/** The normal distribution function. */
function normal(x: Tensor): Tensor {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5)
}

export const activation: Rules<ActivationAttributes> = {
  gelu: {
    arity: 1,
    fused: true,
    infer: (inputs) => {
      requireDType('gelu', inputs, 0, 'float')
      return { dtype: 'float', shape: inputs[0].shape }
    },
    evaluate: ([x], { form }) => Float64Array.from(x.data, form === 'tanh' ? geluTanh : geluErf),
    gradient: (g, [x], _, { form }) => {
      if (form === 'erf') {
        const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
        return [mul(g, add(normal(x), mul(x, density)))]
      }
      const t = geluGate(x)
      const inner = add(mul(mul(x, x), 3 * 0.044715 * slope), slope)
      const half = mul(add(t, 1), 0.5)
      // 0.5 (1 + t) + 0.5 x (1 - t²) inner = half (1 + x (1 - t) inner)
      return [mul(g, mul(half, add(mul(mul(x, sub(1, t)), inner), 1)))]
    },
    decompose: ([x], { form }) => (form === 'erf' ? mul(x, normal(x)) : mul(x, mul(add(geluGate(x), 1), 0.5))),
  },
  silu: {
    arity: 1,
    fused: true,
    infer: (inputs) => {
      requireDType('silu', inputs, 0, 'float')
      return { dtype: 'float', shape: inputs[0].shape }
    },
    evaluate: ([x]) => Float64Array.from(x.data, (value) => value * sigmoidOf(value)),
    gradient: (g, [x]) => {
      const s = sigmoid(x)
      const y = mul(x, s)
      return [mul(g, add(y, mul(s, sub(1, y))))]
    },
    decompose: ([x]) => mul(x, sigmoid(x)),
  },
  swiglu: {
    arity: 2,
    fused: true,
    infer: (inputs) => {
      requireDType('swiglu', inputs, 0, 'float')
      requireDType('swiglu', inputs, 1, 'float')
      if (!sameShape(inputs[0].shape, inputs[1].shape)) throw shapeError('swiglu', inputs, 'the shapes differ')
      return { dtype: 'float', shape: inputs[0].shape }
    },
    evaluate: ([gate, up]) => Float64Array.from(gate.data, (x, i) => x * sigmoidOf(x) * up.data[i]),
    // Eight passes, forward included: the gate's slope comes from the value, d(gate) = g (y + s (up - y)) with s = sigmoid(gate).
    gradient: (g, [gate, up]) => {
      const s = sigmoid(gate)
      const gated = mul(gate, s)
      const y = mul(gated, up)
      return [mul(g, add(y, mul(s, sub(up, y)))), mul(g, gated)]
    },
    decompose: ([gate, up]) => mul(mul(gate, sigmoid(gate)), up),
  },
}
const apply = applier<ActivationAttributes>(activation)

/** Gaussian error linear unit; GPT-2 uses the tanh form. */
export const gelu = (x: Operand, form: GeluForm): Tensor => apply('gelu', [lift(x)], { form })
/** x · sigmoid(x). */
export const silu = (x: Operand): Tensor => apply('silu', [lift(x)], {})
/** silu(gate) · up, both of one shape (Shazeer 2020). */
export const swiglu = (gate: Tensor, up: Tensor): Tensor => apply('swiglu', [gate, up], {})
