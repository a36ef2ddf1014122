import type { LossTerm, Metric, Objective, ObjectiveTensors } from '@collimate/core'
import {
  add,
  and,
  cast,
  div,
  exp,
  expm1,
  fill,
  gather,
  greater,
  less,
  maximum,
  minimum,
  mul,
  neg,
  or,
  square,
  sub,
} from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { checkLoss } from './check-options.js'
import type { ReinforceLossOptions } from './loss-options.js'

type Tensors = ObjectiveTensors<Tensor>

/** Nats beyond which a log-ratio is cut before it goes through exp, so that a far token overflows nothing. */
export const LOG_RATIO_LIMIT = 20

/**
 * The policy gradient on samples of an earlier policy, as a loss: −min(ρ A, clip(ρ, 1 − ε, 1 + ε_high) A), Schulman et al.,
 * arXiv 1707.06347, eq. 7, with ρ = π/π_old. On fresh samples ρ is 1, and the gradient is that of REINFORCE, −A ∇ log π.
 *
 * An action is a token, or the whole completion, whose ρ is the product over its tokens (`rloo`) or their geometric mean
 * (GSPO, arXiv 2507.18071, with the other loss types). With β > 0 an estimate of the KL to the reference is added, of each
 * token, or of the completion where that is the one action.
 *
 * @throws CollimateError COLLIMATE_OPTION_CONFLICT for k1 without ratio: its expected gradient is 0
 */
export function reinforceObjective(options: ReinforceLossOptions): Objective<Tensor> {
  checkLoss(options)
  const perSequence = options.importanceSamplingLevel === 'sequence'
  return {
    name: 'reinforce',
    outputs: ['logProbs'],
    inputs: {
      advantages: perSequence ? 'sequences' : 'tokens',
      oldLogProbs: 'tokens',
      ...(options.beta > 0 && { refLogProbs: 'tokens' as const }),
    },
    coupled: false,
    terms: (t) => [reduced(t, options)],
    metrics: (t) => ({ entropy: { perUnit: t.entropy, unit: 'tokens' }, ...clipRatios(t, options) }),
  }
}

/** Whether the completion is the one action, so that losses are of completions before anything is added up. */
const isWhole = ({ lossType, importanceSamplingLevel }: ReinforceLossOptions): boolean =>
  lossType === 'rloo' && importanceSamplingLevel === 'sequence'

/** log ρ of each action: [N] where the ratio is that of completions, else [T]. */
function logRatios(t: Tensors, { lossType, importanceSamplingLevel }: ReinforceLossOptions): Tensor {
  const perToken = sub(t.logProbs, t.inputs.oldLogProbs)
  if (importanceSamplingLevel === 'token') return limited(perToken)
  const whole = t.sumBySequence(perToken)
  return limited(lossType === 'rloo' ? whole : div(whole, lengths(t)))
}

/** −min(ρ A, clip(ρ) A) and the KL of each action: [N] where the completion is the one action, else [T]. */
function lossOfActions(t: Tensors, options: ReinforceLossOptions): Tensor {
  const { beta, klRatio, cliprange, cliprangeHigh = cliprange, importanceSamplingLevel } = options
  const whole = isWhole(options)
  const spread = (x: Tensor): Tensor => (importanceSamplingLevel === 'sequence' && !whole ? gather(x, t.sequences) : x)
  const ratio = spread(exp(logRatios(t, options)))
  const advantages = spread(t.inputs.advantages)
  const clipped = minimum(maximum(ratio, 1 - cliprange), 1 + cliprangeHigh)
  const surrogate = neg(minimum(mul(ratio, advantages), mul(clipped, advantages)))
  if (beta === 0) return surrogate
  const perToken = sub(t.logProbs, t.inputs.refLogProbs)
  const kl = estimate(options.klEstimator, whole ? t.sumBySequence(perToken) : perToken)
  return add(surrogate, mul(klRatio ? mul(ratio, kl) : kl, beta))
}

/** Estimates of KL(π ‖ π_ref) from r = log π − log π_ref (Schulman, "Approximating KL divergence", 2020). */
function estimate(estimator: ReinforceLossOptions['klEstimator'], r: Tensor): Tensor {
  switch (estimator) {
    case 'k1':
      return r
    case 'k2':
      return div(square(r), 2)
    case 'k3':
      return add(expm1(neg(limited(r))), r)
  }
}

/** The losses of the actions as the loss of a batch: the model sums over units and divides by how many there are. */
function reduced(t: Tensors, options: ReinforceLossOptions): LossTerm<Tensor> {
  const loss = lossOfActions(t, options)
  if (isWhole(options)) return { perUnit: loss, unit: 'sequences' }
  switch (options.lossType) {
    case 'rloo':
      return { perUnit: t.sumBySequence(loss), unit: 'sequences' }
    case 'grpo':
      return { perUnit: div(t.sumBySequence(loss), lengths(t)), unit: 'sequences' }
    case 'dr_grpo':
      return { perUnit: div(t.sumBySequence(loss), options.maxCompletionLength), unit: 'sequences' }
    case 'bnpo':
    case 'dapo':
      return { perUnit: loss, unit: 'tokens' }
  }
}

/** Share of the ratios that the clipping holds back, in TRL's names: below for A < 0, above for A > 0, either. */
function clipRatios(t: Tensors, options: ReinforceLossOptions): Record<string, Metric<Tensor>> {
  const { cliprange, cliprangeHigh = cliprange } = options
  const ratio = exp(logRatios(t, options))
  const { advantages } = t.inputs
  const low = and(less(ratio, 1 - cliprange), less(advantages, 0))
  const high = and(greater(ratio, 1 + cliprangeHigh), greater(advantages, 0))
  const unit = options.importanceSamplingLevel === 'sequence' ? 'sequences' : 'tokens'
  const share = (of: Tensor): Metric<Tensor> => ({ perUnit: cast(of, 'float'), unit })
  return {
    'clip_ratio/low_mean': share(low),
    'clip_ratio/high_mean': share(high),
    'clip_ratio/region_mean': share(or(low, high)),
  }
}

/** [N] scored tokens of each completion, at least 1. */
const lengths = (t: Tensors): Tensor => maximum(t.sumBySequence(fill(1, t.logProbs.shape)), 1)

const limited = (logRatio: Tensor): Tensor => minimum(maximum(logRatio, -LOG_RATIO_LIMIT), LOG_RATIO_LIMIT)
