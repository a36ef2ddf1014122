import type { Metric, Objective, ObjectiveTensors } from '@collimate/core'
import { add, cast, constant, gather, greater, logSigmoid, mul, neg, reshape, slice, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import type { DpoLossOptions } from './options.js'

/**
 * Direct preference optimisation, Rafailov et al., arXiv 2305.18290.
 *
 * Sequences come in pairs: 2i chosen, 2i + 1 rejected. With h = Σ_t (log π(y_t) − log π_ref(y_t)) over the completion,
 * D = h_chosen − h_rejected and β > 0, the loss of a pair is −log σ(βD); with label smoothing ε in [0, ½) it is that of
 * conservative DPO, −(1 − ε) log σ(βD) − ε log σ(−βD), which takes a share ε of the labels to be flipped.
 *
 * The reference enters per token, so that float32 subtracts numbers of like size before it sums; only the sum by
 * sequence matters.
 */
export function dpoObjective(options: DpoLossOptions): Objective<Tensor> {
  return {
    name: 'dpo',
    outputs: ['logProbs'],
    inputs: { refLogProbs: 'tokens' },
    coupled: false,
    terms: (t) => {
      const { chosen, rejected } = rewards(options, t)
      return [{ perUnit: pairLoss(options, sub(chosen, rejected)), unit: 'pairs' }]
    },
    metrics: (t) => metrics(t, rewards(options, t)),
  }
}

/** Loss of each pair by name, from the margins βD. */
const losses: Record<DpoLossOptions['loss'], (margins: Tensor, options: DpoLossOptions) => Tensor> = {
  sigmoid: (margins, { labelSmoothing }) => {
    const asLabelled = neg(logSigmoid(margins))
    if (labelSmoothing === 0) return asLabelled
    const flipped = neg(logSigmoid(neg(margins)))
    return add(mul(asLabelled, 1 - labelSmoothing), mul(flipped, labelSmoothing))
  },
}

/** Loss of each pair from its margin βD. */
export function pairLoss(options: DpoLossOptions, margins: Tensor): Tensor {
  return losses[options.loss](margins, options)
}

interface PairOf<T> {
  readonly chosen: T
  readonly rejected: T
}

/** The implicit rewards β · h of both answers, [N/2] each. */
function rewards({ beta }: DpoLossOptions, t: ObjectiveTensors<Tensor>): PairOf<Tensor> {
  const { refLogProbs } = t.inputs
  return pairs(mul(t.sumBySequence(sub(t.logProbs, refLogProbs)), beta))
}

/** Splits [N] into the even (chosen) and odd (rejected) sequences, [N/2] each. */
function pairs(perSequence: Tensor): PairOf<Tensor> {
  const count = perSequence.size / 2
  const columns = reshape(perSequence, [count, 2])
  const column = (k: number) => reshape(slice(columns, [0, k], [count, k + 1]), [count])
  return { chosen: column(0), rejected: column(1) }
}

function metrics(t: ObjectiveTensors<Tensor>, reward: PairOf<Tensor>): Record<string, Metric<Tensor>> {
  const logps = pairs(t.sumBySequence(t.logProbs))
  const ofChosen = chosenTokens(t)
  const perPair = (perUnit: Tensor): Metric<Tensor> => ({ perUnit, unit: 'pairs' })
  return {
    'rewards/chosen': perPair(reward.chosen),
    'rewards/rejected': perPair(reward.rejected),
    'rewards/accuracies': perPair(cast(greater(reward.chosen, reward.rejected), 'float')),
    'rewards/margins': perPair(sub(reward.chosen, reward.rejected)),
    'logps/chosen': perPair(logps.chosen),
    'logps/rejected': perPair(logps.rejected),
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
