import { CollimateError } from '@collimate/core'
import type { Objective, ObjectiveUse } from '@collimate/core'
import { abs, add, exp, logSigmoid, mul, neg, reshape, slice, square, sub, type Tensor } from '@collimate/graph'

const base = { outputs: ['logProbs'], coupled: false } as const

/** [N] to the even and the odd sequences, [N/2] each. */
function halves(perSequence: Tensor): readonly [Tensor, Tensor] {
  const count = perSequence.size / 2
  const table = reshape(perSequence, [count, 2])
  const column = (k: number): Tensor => reshape(slice(table, [0, k], [count, k + 1]), [count])
  return [column(0), column(1)]
}

const all: readonly Objective<Tensor>[] = [
  {
    // Any gradient there is: the weights choose the direction.
    ...base,
    name: 'laws-weighted-likelihood',
    inputs: { weights: 'tokens' },
    terms: (t) => [{ perUnit: neg(mul(t.inputs.weights, t.logProbs)), unit: 'tokens' }],
    metrics: (t) => ({ logProb: { perUnit: t.logProbs, unit: 'tokens' } }),
  },
  {
    // All kinds of units at once, none of them linear in the log-probabilities of a sequence.
    ...base,
    name: 'laws-every-unit',
    inputs: { weights: 'tokens', chosen: 'sequences' },
    terms(t) {
      const sums = t.sumBySequence(t.logProbs)
      const [first, second] = halves(sums)
      return [
        { perUnit: mul(t.inputs.weights, square(t.logProbs)), unit: 'tokens', weight: 0.5 },
        { perUnit: square(add(sums, 1)), unit: 'sequences', weight: 0.1, select: 'chosen' },
        { perUnit: neg(logSigmoid(sub(first, second))), unit: 'pairs' },
      ]
    },
    metrics(t) {
      const [first, second] = halves(t.sumBySequence(t.logProbs))
      return {
        margin: { perUnit: sub(first, second), unit: 'pairs' },
        logProb: { perUnit: t.logProbs, unit: 'tokens' },
      }
    },
  },
  {
    // The unclipped surrogate of policy-gradient methods.
    ...base,
    name: 'laws-importance-ratio',
    inputs: { oldLogProbs: 'tokens', advantages: 'tokens' },
    terms: (t) => [
      { perUnit: neg(mul(exp(sub(t.logProbs, t.inputs.oldLogProbs)), t.inputs.advantages)), unit: 'tokens' },
    ],
    metrics: (t) => ({
      deviation: { perUnit: abs(sub(exp(sub(t.logProbs, t.inputs.oldLogProbs)), 1)), unit: 'tokens' },
    }),
  },
]

const byName = new Map(all.map((objective) => [objective.name, objective]))

/** The objectives that the laws of a policy train with; hand them to the policy as its registry would. */
export async function lawObjectives({ use }: ObjectiveUse): Promise<Objective> {
  const found = byName.get(use)
  if (found) return found as Objective
  throw new CollimateError('COLLIMATE_PLUGIN_UNKNOWN', `the laws have no objective "${use}"`)
}

export const weightedLikelihood: ObjectiveUse = { use: 'laws-weighted-likelihood', options: {} }
export const everyUnit: ObjectiveUse = { use: 'laws-every-unit', options: {} }
export const importanceRatio: ObjectiveUse = { use: 'laws-importance-ratio', options: {} }
