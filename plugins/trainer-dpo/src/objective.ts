import type { Metric, Objective, ObjectiveTensors } from '@collimate/core'
import { cast, constant, div, gather, greater, mul, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { checkLoss } from './check-loss.js'
import { score } from './divergences.js'
import { dpoLosses } from './losses.js'
import type { DpoLoss } from './losses.js'
import type { DpoLossOptions } from './options.js'
import { pairTensors } from './pair-tensors.js'
import type { AnswerTensors, PairTensors } from './pair-tensors.js'

/**
 * Direct preference optimisation, Rafailov et al., arXiv 2305.18290, and its family (losses.ts).
 *
 * Sequences come in pairs: 2i chosen, 2i + 1 rejected. With h = Σ_t (log π(y_t) − log π_ref(y_t)) over the completion,
 * D = h_chosen − h_rejected and β > 0, the loss of a pair is −log σ(βD). The reference enters per token; only the sum by
 * sequence matters.
 *
 * @throws CollimateError COLLIMATE_OPTION_CONFLICT where the loss would ignore an option
 */
export function dpoObjective(options: DpoLossOptions): Objective<Tensor> {
  checkLoss(options)
  const loss: DpoLoss = dpoLosses[options.loss]
  return {
    name: 'dpo',
    outputs: ['logProbs'],
    inputs: { refLogProbs: 'tokens' },
    coupled: loss.coupled ?? false,
    terms: (t) => [{ perUnit: pairLoss(options, pairTensors(t)), unit: 'pairs' }],
    metrics: (t) => metrics(options, t),
  }
}

/** Loss of each pair, [N/2]. */
export function pairLoss(options: DpoLossOptions, pairs: PairTensors): Tensor {
  const { loss, beta, labelSmoothing, fDivergenceType, fAlphaDivergenceCoef = 0.5, discopopTau = 0.05 } = options
  const { chosen, rejected } = pairs
  const scoreOf = ({ logRatio }: AnswerTensors) => score(fDivergenceType, logRatio, fAlphaDivergenceCoef)
  const meanOf = (answer: AnswerTensors) => div(scoreOf(answer), answer.length)
  return dpoLosses[loss].perPair({
    chosenReward: mul(chosen.logRatio, beta),
    rejectedReward: mul(rejected.logRatio, beta),
    difference: sub(scoreOf(chosen), scoreOf(rejected)),
    meanDifference: sub(meanOf(chosen), meanOf(rejected)),
    pairs,
    beta,
    smoothing: labelSmoothing,
    tau: discopopTau,
  })
}

/** TRL's metrics. Rewards are β h whatever the loss and divergence. */
function metrics({ beta }: DpoLossOptions, t: ObjectiveTensors<Tensor>): Record<string, Metric<Tensor>> {
  const { chosen, rejected } = pairTensors(t)
  const reward = { chosen: mul(chosen.logRatio, beta), rejected: mul(rejected.logRatio, beta) }
  const ofChosen = chosenTokens(t)
  const perPair = (perUnit: Tensor): Metric<Tensor> => ({ perUnit, unit: 'pairs' })
  return {
    'rewards/chosen': perPair(reward.chosen),
    'rewards/rejected': perPair(reward.rejected),
    'rewards/accuracies': perPair(cast(greater(reward.chosen, reward.rejected), 'float')),
    'rewards/margins': perPair(sub(reward.chosen, reward.rejected)),
    'logps/chosen': perPair(chosen.logProb),
    'logps/rejected': perPair(rejected.logProb),
    'logits/chosen': { perUnit: t.meanLogits, unit: 'tokens', select: ofChosen },
    'logits/rejected': { perUnit: t.meanLogits, unit: 'tokens', select: sub(1, ofChosen) },
    mean_token_accuracy: { perUnit: t.correct, unit: 'tokens', select: ofChosen },
    entropy: { perUnit: t.entropy, unit: 'tokens' },
  }
}

/** [T] 1 where the token belongs to a chosen answer, else 0. */
function chosenTokens(t: ObjectiveTensors<Tensor>): Tensor {
  const count = t.sequenceMask.size
  const isChosen = constant(
    Array.from({ length: count }, (_, n) => 1 - (n % 2)),
    [count],
  )
  return gather(isChosen, t.sequences)
}
