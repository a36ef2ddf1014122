import type { Objective } from '@collimate/core'
import {
  abs,
  add,
  broadcastTo,
  cast,
  concat,
  constant,
  div,
  exp,
  fill,
  gather,
  greater,
  greaterEqual,
  less,
  log,
  maximum,
  mean,
  mul,
  neg,
  reshape,
  stopGradient,
  sub,
  sum,
} from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import type { Mutation } from './mutant.js'
import { answers, withLoss, withMetric, withReference, withSums, withTensors, withTerms } from './objective-wraps.js'

type ObjectiveMutation = Mutation<Objective<Tensor>>

/** [N/2] chosen and rejected back to [N]. */
const joined = (chosen: Tensor, rejected: Tensor): Tensor =>
  reshape(concat([reshape(chosen, [chosen.size, 1]), reshape(rejected, [rejected.size, 1])], 1), [
    chosen.size + rejected.size,
  ])

/** What can go wrong in any loss. */
export const ofAnyLoss: readonly ObjectiveMutation[] = [
  {
    id: 'loss-sign',
    defect: 'class 31',
    what: 'the loss has the wrong sign',
    wrong: (right) => withLoss(right, neg),
  },
  {
    id: 'loss-divided-twice',
    defect: 'class 27',
    what: 'the objective divides by the size of the micro-batch, which the model does too',
    wrong: (right) => withLoss(right, (perUnit) => div(perUnit, perUnit.size)),
  },
  {
    id: 'loss-of-batch-mean',
    defect: 'class 38',
    what: 'each unit has the loss of the whole batch, so that it cannot be split',
    wrong: (right) => withLoss(right, (perUnit) => broadcastTo(mean(perUnit), perUnit.shape)),
  },
  {
    id: 'loss-naive-exp',
    defect: 'L18',
    what: 'the loss goes through exp without a guard and overflows',
    wrong: (right) => withLoss(right, (perUnit) => log(exp(perUnit))),
  },
  {
    id: 'loss-wrong-shape',
    defect: 'L17',
    what: 'the loss is one number for the batch, not one per unit',
    wrong: (right) => withLoss(right, (perUnit) => reshape(sum(perUnit), [1])),
  },
  {
    id: 'loss-without-gradient',
    defect: 'class 45',
    what: 'the loss has a value and no gradient',
    wrong: (right) => withLoss(right, stopGradient),
  },
  {
    id: 'loss-drifts',
    defect: '-',
    what: 'the loss grows each time that the objective is asked',
    wrong: (right) => {
      let asked = 0
      return withLoss(right, (perUnit) => mul(perUnit, 1 + 0.1 * asked++))
    },
  },
]

/** What can go wrong in a loss of pairs against a reference. */
export const ofPairs: readonly ObjectiveMutation[] = [
  {
    id: 'pairs-swapped',
    defect: 'class 37',
    what: 'chosen and rejected answers change places',
    wrong: (right) =>
      withSums(right, (sums) => {
        const { chosen, rejected } = answers(sums)
        return joined(rejected, chosen)
      }),
  },
  {
    id: 'pairs-without-reference',
    defect: 'class 42',
    what: 'the reference is left out',
    wrong: (right) => withReference(right, (refLogProbs) => fill(0, refLogProbs.shape)),
  },
  {
    id: 'pairs-reference-added',
    defect: 'class 31',
    what: 'the log-probs of the reference are added',
    wrong: (right) => withReference(right, neg),
  },
  {
    id: 'pairs-reference-follows',
    defect: 'class 42',
    what: 'the policy is its own reference',
    wrong: (right) => withReference(right, (_, t) => stopGradient(t.logProbs)),
  },
  {
    id: 'pairs-reference-of-chosen-alone',
    defect: 'class 42',
    what: 'the reference is subtracted from the chosen answers alone',
    wrong: (right) =>
      withTensors(right, (t) => ({
        inputs: { ...t.inputs, refLogProbs: mul(t.inputs.refLogProbs, chosenTokens(t)) },
      })),
  },
  {
    id: 'pairs-averaged',
    defect: 'class 29',
    what: 'log-probs are averaged over the tokens of an answer where their sum is meant',
    wrong: (right) => withSums(right, (sums, perToken, t) => div(sums, maximum(lengths(perToken, t.sumBySequence), 1))),
  },
  {
    id: 'pairs-gradient-of-chosen-alone',
    defect: 'class 45',
    what: 'no gradient reaches the rejected answers',
    wrong: (right) =>
      withSums(right, (sums) => {
        const { chosen, rejected } = answers(sums)
        return joined(chosen, stopGradient(rejected))
      }),
  },
  {
    id: 'pairs-margin-magnitude',
    defect: 'class 37',
    what: 'only the size of the margin counts',
    wrong: (right) =>
      withSums(right, (sums) => {
        const { chosen, rejected } = answers(sums)
        return joined(add(rejected, abs(sub(chosen, rejected))), rejected)
      }),
  },
  {
    id: 'pairs-per-token-loss',
    defect: 'L17',
    what: 'the loss is per token where it is declared per pair',
    wrong: (right) => withTerms(right, (term, t) => ({ ...term, perUnit: neg(t.logProbs) })),
  },
  {
    id: 'pairs-counted-as-sequences',
    defect: 'class 3',
    what: 'the loss of pairs is divided by the number of answers',
    wrong: (right) =>
      withTerms(right, (term) => ({
        ...term,
        unit: 'sequences',
        perUnit: joined(term.perUnit, fill(0, term.perUnit.shape)),
      })),
  },
  {
    id: 'pairs-accuracy-of-batch-means',
    defect: 'L12',
    what: 'the accuracy compares the means of the batch: 0 or 1 for all of it',
    wrong: (right) =>
      withMetric(right, 'rewards/accuracies', (metric, all) => {
        const of = (name: string): Tensor => broadcastTo(mean(all[name].perUnit), metric.perUnit.shape)
        return { ...metric, perUnit: cast(greater(of('rewards/chosen'), of('rewards/rejected')), 'float') }
      }),
  },
  {
    id: 'pairs-accuracy-reversed',
    defect: 'class 37',
    what: 'the accuracy counts the pairs whose rejected answer wins',
    wrong: (right) =>
      withMetric(right, 'rewards/accuracies', (metric, all) => ({
        ...metric,
        perUnit: cast(less(all['rewards/chosen'].perUnit, all['rewards/rejected'].perUnit), 'float'),
      })),
  },
  {
    id: 'pairs-accuracy-of-ties',
    defect: 'class 55',
    what: 'a tie counts as right, so that a policy equal to its reference is right always',
    wrong: (right) =>
      withMetric(right, 'rewards/accuracies', (metric, all) => ({
        ...metric,
        perUnit: cast(greaterEqual(all['rewards/chosen'].perUnit, all['rewards/rejected'].perUnit), 'float'),
      })),
  },
  {
    id: 'pairs-rewards-without-beta',
    defect: 'class 55',
    what: 'the logged reward of chosen answers is not multiplied by beta',
    wrong: (right) =>
      withMetric(right, 'rewards/chosen', (metric, all) => ({ ...metric, perUnit: all['logps/chosen'].perUnit })),
  },
  {
    id: 'pairs-margins-sign',
    defect: 'class 55',
    what: 'the logged margin has the wrong sign',
    wrong: (right) => withMetric(right, 'rewards/margins', (metric) => ({ ...metric, perUnit: neg(metric.perUnit) })),
  },
  {
    id: 'pairs-logits-of-all',
    defect: 'class 55',
    what: 'logits/chosen averages over rejected answers too',
    wrong: (right) => withMetric(right, 'logits/chosen', ({ perUnit, unit }) => ({ perUnit, unit })),
  },
]

/** What can go wrong in a loss of tokens. */
export const ofTokens: readonly ObjectiveMutation[] = [
  {
    id: 'tokens-mean-of-sequence-means',
    defect: 'class 27',
    what: 'sequences are averaged, and then their means: short ones weigh more',
    wrong: (right) =>
      withTerms(right, (term, t) => ({
        unit: 'sequences',
        perUnit: div(t.sumBySequence(term.perUnit), maximum(lengths(term.perUnit, t.sumBySequence), 1)),
      })),
  },
  {
    id: 'tokens-summed',
    defect: 'class 3',
    what: 'the sum over the tokens is divided by the number of sequences',
    wrong: (right) => withTerms(right, (term, t) => ({ unit: 'sequences', perUnit: t.sumBySequence(term.perUnit) })),
  },
]

const lengths = (perToken: Tensor, sumBySequence: (perToken: Tensor) => Tensor): Tensor =>
  sumBySequence(fill(1, perToken.shape))

/** [T] 1 for the tokens of chosen answers. */
function chosenTokens({
  sequences,
  sequenceMask,
}: {
  readonly sequences: Tensor
  readonly sequenceMask: Tensor
}): Tensor {
  return gather(constant(Array.from({ length: sequenceMask.size }, (_, n) => 1 - (n % 2))), sequences)
}
