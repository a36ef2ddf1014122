import { allocate } from '../kernels/strided.js'
import { applier, lift, type Operand, type Tensor } from '../tensor.js'
import type { DType, None } from '../types.js'
import type { Rules } from './rule.js'

/** Attributes of ops that change a value's kind, not its meaning. */
export interface ConvertAttributes {
  cast: { readonly dtype: DType }
  stopGradient: None
}

export const convert: Rules<ConvertAttributes> = {
  cast: {
    arity: 1,
    fused: false,
    infer: ([x], { dtype }) => ({ dtype, shape: x.shape }),
    evaluate: ([x], { dtype }) => {
      if (x.dtype === dtype) return x.data
      const out = allocate(dtype, x.data.length)
      for (let i = 0; i < out.length; i++) out[i] = dtype === 'bool' ? Number(x.data[i] !== 0) : x.data[i]
      return out
    },
    // Between different dtypes one side is never a float, and the same dtype never makes a node.
    gradient: () => [undefined],
  },
  stopGradient: {
    arity: 1,
    fused: true,
    infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
    evaluate: ([x]) => x.data,
    gradient: () => [undefined],
    decompose: ([x]) => x,
  },
}
const apply = applier<ConvertAttributes>(convert)

/** Floats become ints by truncation; anything but zero becomes true. */
export function cast(x: Operand, dtype: DType): Tensor {
  const value = lift(x)
  return value.dtype === dtype ? value : apply('cast', [value], { dtype })
}

/** x, which the derivative takes for a constant. */
export const stopGradient = (x: Operand): Tensor => apply('stopGradient', [lift(x)], {})
