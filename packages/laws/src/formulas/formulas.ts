import { clippedSurrogate, clippedValueLoss, dualClip } from './clipping.js'
import { gae, klRewards, monteCarloReturns, type GaeInput, type KlRewardInput, type TokenRewards } from './gae.js'
import { groupAdvantages, leaveOneOut, whiten, type MaskedValues } from './groups.js'
import { k1, k2, k3 } from './kl.js'
import { nextBeta, type KlTarget } from './kl-controller.js'
import { reinforceGradient } from './reinforce.js'
import { bradleyTerry, logMeanExp, logSigmoid } from './stable.js'

/** Range of the importance ratio: 1 − low to 1 + high. */
export interface Clip {
  readonly low: number
  readonly high: number
}

/** Formulas of the field as pure functions of float64 numbers; arrays are [rows · width], row-major. */
export interface Formulas {
  /** log σ(x). */
  logSigmoid(x: number): number
  /** log of the mean of exp(values). */
  logMeanExp(values: readonly number[]): number
  /** P(a ≻ b) from two rewards. */
  bradleyTerry(a: number, b: number): number
  /** Estimates of KL(π ‖ π_ref) from log π(y) and log π_ref(y), y sampled from π. */
  k1(logProb: number, refLogProb: number): number
  k2(logProb: number, refLogProb: number): number
  k3(logProb: number, refLogProb: number): number
  /** The next β of a KL penalty, from the mean KL of so many completions. */
  nextBeta(beta: number, kl: number, completions: number, towards: KlTarget): number
  /** Per-token rewards: −β (log π − log π_ref) at each real token, and the score of the row at its last one. */
  klRewards(input: KlRewardInput): Float64Array
  /** Generalised advantages and returns; 0 where the mask is 0. */
  gae(input: GaeInput): { readonly advantages: Float64Array; readonly returns: Float64Array }
  /** Discounted sum of the rewards from each real token on; 0 where the mask is 0. */
  monteCarloReturns(input: TokenRewards & { readonly gamma: number }): Float64Array
  /** Real values shifted to mean 0 and scaled to variance 1 (Bessel); 0 where the mask is 0. */
  whiten(input: MaskedValues): Float64Array
  /** Reward less the mean of the others of its group (neighbours); 0 in a group of one. */
  leaveOneOut(rewards: readonly number[], groupSize: number): Float64Array
  /** Reward less the mean of its group, divided by the group’s standard deviation where `scale` is `std`. */
  groupAdvantages(rewards: readonly number[], groupSize: number, scale: 'std' | 'none'): Float64Array
  /** E_y (r(y) − baseline) ∇ log π(y) by enumeration, with respect to the logits of π. */
  reinforceGradient(logits: readonly number[], rewards: readonly number[], baseline: number): Float64Array
  /** PPO’s loss of one token from log(π/π_old) and its advantage; to be minimised. */
  clippedSurrogate(logRatio: number, advantage: number, clip: Clip): number
  /** The same, at most −A·c where A < 0. */
  dualClip(logRatio: number, advantage: number, clip: Clip, c: number): number
  /** ½ max((v − R)², (clip(v) − R)²), v clipped to `range` around the old value. */
  clippedValueLoss(value: number, oldValue: number, target: number, range: number): number
}

/** The laws' own formulas: judges of estimators and objectives, and the default subject of the laws. */
export const ownFormulas: Formulas = {
  logSigmoid,
  logMeanExp,
  bradleyTerry,
  k1,
  k2,
  k3,
  nextBeta,
  klRewards,
  gae,
  monteCarloReturns,
  whiten,
  leaveOneOut,
  groupAdvantages,
  reinforceGradient,
  clippedSurrogate,
  dualClip,
  clippedValueLoss,
}
