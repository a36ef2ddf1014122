import type { Estimator, EstimatorRequest } from '@collimate/core'
import { whiten } from '../formulas/groups.js'
import { law, near, type Law } from '../law.js'
import { refused } from '../refused.js'
import { changed, copyOf, requests, showRequest, type RequestLimits } from './requests.js'
import { advantagesOfRows, baselines, deviation, normalise, perSlot, realRows, type BaselineName } from './sequences.js'

/** What an estimator does beside subtracting a baseline. */
interface BaselineParts {
  /** KL penalty that it takes off the rewards itself; default 0. */
  readonly beta?: number
  /** Advantages are whitened over the tokens of the batch. */
  readonly whitened?: boolean
  /** Advantages are shifted and scaled over the completions of the batch. */
  readonly normalized?: boolean
}

/** What an estimator of whole completions subtracts from their rewards, by what it claims. */
export function baselineLaws(get: () => Promise<Estimator>, limits: RequestLimits, parts: BaselineParts): Law[] {
  const { beta = 0, whitened = false, normalized = false } = parts
  const estimate = async (request: EstimatorRequest) => (await get()).estimate(copyOf(request))
  const arbitrary = requests({ ...limits, anyMask: true })

  const baseline = (name: BaselineName, capability: string, statement: string, formula: string, source: string) =>
    law({
      name: `reinforce/${name}`,
      statement: `${statement} A completion without a real token is no sample.`,
      formula,
      source,
      capability,
      arbitrary,
      show: showRequest,
      async holds(request) {
        const { rewards, logProbs, refLogProbs = logProbs, mask } = request
        const penalised = rewards.map((reward, slot) => reward - beta * (logProbs[slot] - refLogProbs[slot]))
        const perRow = advantagesOfRows({ ...request, rewards: penalised }, baselines[name])
        const plain = perSlot(request, normalized ? normalise(perRow) : perRow)
        const expected = whitened ? whiten({ values: plain, mask }) : plain
        const { advantages } = await estimate(request)
        mask.forEach((bit, slot) => {
          if (bit !== 0) near(advantages[slot], expected[slot], 1e-9, `the advantage of slot ${slot}`)
        })
      },
    })

  return [
    baseline(
      'no-baseline',
      'noBaseline',
      'Every token of a completion has its reward.',
      'A_i = R_i',
      'Williams, Machine Learning 8 (1992)',
    ),
    baseline(
      'moving-average',
      'movingAverage',
      'Every token of a completion has its reward less the mean of earlier rewards, or 0 where there were none; the present batch is not in it.',
      'A_i = R_i − m, m of earlier batches',
      'Williams, Machine Learning 8 (1992): a baseline that the present samples move is none',
    ),
    baseline(
      'leave-one-out',
      'leaveOneOut',
      'Every token of a completion has its reward less the mean reward of the others of its group; a group adds up to 0.',
      'A_i = R_i − mean_{j≠i} R_j',
      'Ahmadian et al., arXiv 2402.14740',
    ),
    baseline(
      'group-mean',
      'groupMean',
      'Every token of a completion has its reward less the mean reward of its group.',
      'A_i = R_i − mean R',
      'Dr. GRPO, arXiv 2503.20783',
    ),
    baseline(
      'group-std',
      'groupStd',
      'Every token of a completion has its reward less the mean of its group, over the group’s standard deviation; equal rewards give 0.',
      'A_i = (R_i − mean R) / (sd R + 1e-4)',
      'GRPO, arXiv 2402.03300; tinker-cookbook issue 644',
    ),
    baseline(
      'batch-std',
      'batchStd',
      'Every token of a completion has its reward less the mean of its group, over the standard deviation of the batch.',
      'A_i = (R_i − mean of the group) / (sd of all R + 1e-4)',
      'Liu et al., arXiv 2508.08221; TRL’s scale_rewards: batch',
    ),
    law({
      name: 'reinforce/normalized',
      statement: 'Advantages have mean 0 and standard deviation 1 over the completions of the batch.',
      formula: 'Σ_i A_i = 0, Σ_i A_i² = n − 1',
      source: 'TRL’s RLOO, normalize_advantages',
      capability: 'normalized',
      arbitrary,
      show: showRequest,
      async holds(given) {
        // So far apart that the 1e-4 beside the deviation does not show.
        const request = changed(given, (values) => values.map((value) => 1000 * value))
        const { advantages } = await estimate(request)
        const firsts = realRows(request).map(({ first }) => advantages[first])
        near(
          firsts.reduce((total, advantage) => total + advantage, 0),
          0,
          1e-9,
          'the sum',
        )
        // A constant has no deviation to scale.
        if (deviation(firsts) > 1e-6) near(deviation(firsts), 1, 1e-4, 'the standard deviation')
      },
    }),
    law({
      name: 'estimator/needs-groups',
      statement: 'Groups of one, in which there is nothing to compare, are refused instead of teaching nothing.',
      formula: 'K = 1 → error with a code',
      source: 'tinker-cookbook issue 644; TRL issue 3926: silent no-ops',
      capability: 'needsGroups',
      arbitrary: requests({ groups: limits.groups }),
      show: showRequest,
      holds: (request) => refused('a request in groups of one', () => estimate(request)),
    }),
  ]
}
