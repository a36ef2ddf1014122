import { add, greater, maximum, mul, square, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { clamp } from './clipped-surrogate.js'

/**
 * The clipped loss of a critic per token, as in OpenAI's baselines and TRL: ½ max((V − R)², (clip(V) − R)²) with V kept within
 * `range` of its value at sampling. `clipped` [T], bool: where the clip binds, so that the token has no gradient.
 */
export function clippedValueLoss(
  values: Tensor,
  oldValues: Tensor,
  returns: Tensor,
  range: number,
): { readonly loss: Tensor; readonly clipped: Tensor } {
  const plain = square(sub(values, returns))
  const bounded = square(sub(clamp(values, sub(oldValues, range), add(oldValues, range)), returns))
  return { loss: mul(maximum(plain, bounded), 0.5), clipped: greater(bounded, plain) }
}
