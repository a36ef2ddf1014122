import type { Metric, Objective, ObjectiveTensors } from '@collimate/core'
import { cast, exp, mul, neg, square } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { clippedSurrogate, logRatioOf } from './clipped-surrogate.js'
import type { PpoLossOptions } from './loss-options.js'
import { valueInputs, valueMetrics, valueTerm } from './value-objective.js'

/**
 * Proximal policy optimisation, Schulman et al., arXiv 1707.06347: the clipped surrogate over the tokens of rollouts, less
 * `entropyCoef` times the entropy, and where policy and critic share a trunk plus `vfCoef` times the clipped value loss.
 *
 * `oldLogProbs`: log-probs of the sampled tokens under the policy that sampled them. Advantages are data: no gradient flows
 * through them.
 */
export function ppoObjective(options: PpoLossOptions): Objective<Tensor> {
  const { critic, entropyCoef } = options
  const shared = critic === 'shared'
  return {
    name: 'ppo',
    outputs: ['logProbs', ...(entropyCoef > 0 ? (['entropy'] as const) : []), ...(shared ? (['values'] as const) : [])],
    inputs: { oldLogProbs: 'tokens', advantages: 'tokens', ...(shared && valueInputs) },
    coupled: false,
    terms: (t) => [
      { perUnit: surrogateOf(options, t).loss, unit: 'tokens' },
      ...(entropyCoef > 0 ? [{ perUnit: neg(t.entropy), unit: 'tokens', weight: entropyCoef } as const] : []),
      ...(shared ? [valueTerm(options, t)] : []),
    ],
    metrics: (t) => ({ ...policyMetrics(options, t), ...(shared && valueMetrics(options, t)) }),
  }
}

const logRatio = ({ logProbs, inputs }: ObjectiveTensors<Tensor>): Tensor => logRatioOf(logProbs, inputs.oldLogProbs)

const surrogateOf = ({ cliprange, cliprangeHigh = cliprange }: PpoLossOptions, t: ObjectiveTensors<Tensor>) =>
  clippedSurrogate(logRatio(t), t.inputs.advantages, { low: cliprange, high: cliprangeHigh })

/** The mean of ρ², of which and of the mean of ρ the trainer makes the variance; no metric by itself. */
export const squaredRatio = 'val/squared_ratio'

/** TRL's metrics of the policy, over real tokens alone: TRL averages some of them over padding too. */
function policyMetrics(options: PpoLossOptions, t: ObjectiveTensors<Tensor>): Record<string, Metric<Tensor>> {
  const { loss, clipped } = surrogateOf(options, t)
  const ratio = exp(logRatio(t))
  const perToken = (perUnit: Tensor): Metric<Tensor> => ({ perUnit, unit: 'tokens' })
  return {
    'loss/policy_avg': perToken(loss),
    'policy/approxkl_avg': perToken(mul(square(logRatio(t)), 0.5)),
    'policy/clipfrac_avg': perToken(cast(clipped, 'float')),
    'policy/entropy_avg': perToken(t.entropy),
    'val/ratio': perToken(ratio),
    [squaredRatio]: perToken(square(ratio)),
  }
}
