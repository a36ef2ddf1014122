import type { BackendCapabilities, LossScale } from '@collimate/core'

/*
 * Small gradients vanish in float16: below 2⁻²⁵ everything is 0. So the loss is multiplied by a power of two before it is
 * differentiated and the gradient divided by it afterwards, in float32, which changes no digit of what neither vanishes nor
 * overflows (Micikevicius et al., arXiv 1710.03740, section 3.2). The factor follows what fits, as torch.amp.GradScaler's
 * does with the same numbers; where a gradient overflows, its step is computed again, not dropped.
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
  /** What to try where the gradient was not finite; undefined where the scale is not to blame. */
  afterOverflow(present: LossScale): LossScale | undefined
  afterStep(present: LossScale): LossScale
}

/** `auto` follows the gradients where the backend computes in float16, and is 1 elsewhere; a number stays. */
export function lossScaling(
  option: 'auto' | number,
  { precision }: Pick<BackendCapabilities, 'precision'>,
): LossScaling {
  if (option === 'auto' && precision === 'float16') return dynamic
  const initial: LossScale = { scale: option === 'auto' ? 1 : option, steadySteps: 0 }
  return { dynamic: false, initial, afterOverflow: () => undefined, afterStep: () => initial }
}

const dynamic: LossScaling = {
  dynamic: true,
  initial: { scale: INITIAL, steadySteps: 0 },
  afterOverflow: ({ scale }) => (scale > 1 ? { scale: scale / 2, steadySteps: 0 } : undefined),
  afterStep: ({ scale, steadySteps }) =>
    steadySteps + 1 < STEADY_STEPS
      ? { scale, steadySteps: steadySteps + 1 }
      : { scale: Math.min(2 * scale, GREATEST), steadySteps: 0 },
}

/** Whether a loss may be multiplied by it: a power of two from 1 to 2²⁴, which changes no digit. */
export const isLossScale = (scale: number): boolean =>
  scale >= 1 && scale <= GREATEST && Number.isInteger(Math.log2(scale))
