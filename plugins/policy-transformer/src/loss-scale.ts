import type { BackendCapabilities, LossScale } from '@collimate/core'

/*
 * Small gradients vanish in float16: below 2⁻²⁵ everything is 0. So the loss is multiplied by a power of two before it is
 * differentiated and the gradient divided by it afterwards, in float32, which changes no digit of what neither vanishes nor
 * overflows (Micikevicius et al., arXiv 1710.03740, section 3.2). The factor follows what fits, as torch.amp.GradScaler's
 * does with the same numbers: a step that overflows halves it once. But that step is not dropped: it is computed again with
 * half the factor until it fits, so that one outlier costs later steps no more than that one halving.
 */

const INITIAL = 2 ** 16
/** 2⁻²⁴, the least that float16 holds, times this is 1: more helps nothing. */
const GREATEST = 2 ** 24
/** Steps without an overflow after which it doubles. */
const STEADY_STEPS = 2000

/** How the loss of a policy is scaled. */
export interface LossScaling {
  /** Whether it follows the gradients. */
  readonly dynamic: boolean
  readonly initial: LossScale
  /** The scale to try where the gradient was not finite with this one; undefined where the scale is not to blame. */
  smaller(scale: number): number | undefined
  /** That of the next step, after one that began with `present` and was made with the scale `used`. */
  next(present: LossScale, used: number): LossScale
}

/** `auto` follows the gradients where the backend computes in float16, and is 1 elsewhere; a number stays. */
export function lossScaling(
  option: 'auto' | number,
  { precision }: Pick<BackendCapabilities, 'precision'>,
): LossScaling {
  if (option === 'auto' && precision === 'float16') return dynamic
  const initial: LossScale = { scale: option === 'auto' ? 1 : option, steadySteps: 0 }
  return { dynamic: false, initial, smaller: () => undefined, next: () => initial }
}

const dynamic: LossScaling = {
  dynamic: true,
  initial: { scale: INITIAL, steadySteps: 0 },
  smaller: (scale) => (scale > 1 ? scale / 2 : undefined),
  next({ scale, steadySteps }, used) {
    if (used < scale) return { scale: scale / 2, steadySteps: 0 }
    if (steadySteps + 1 < STEADY_STEPS) return { scale, steadySteps: steadySteps + 1 }
    return { scale: Math.min(2 * scale, GREATEST), steadySteps: 0 }
  },
}

/** Whether a loss may be multiplied by it: a power of two from 1 to 2²⁴, which changes no digit. */
export const isLossScale = (scale: number): boolean =>
  scale >= 1 && scale <= GREATEST && scale === 2 ** Math.round(Math.log2(scale))

/** Whether it is what training leaves in a snapshot. */
export const isLossScaleState = ({ scale, steadySteps }: LossScale): boolean =>
  isLossScale(scale) && Number.isInteger(steadySteps) && steadySteps >= 0 && steadySteps < STEADY_STEPS
