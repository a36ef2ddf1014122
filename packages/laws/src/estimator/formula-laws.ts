import type { Estimator, EstimatorReply, EstimatorRequest } from '@collimate/core'
import fc from 'fast-check'
import { gae, monteCarloReturns } from '../formulas/gae.js'
import { whiten } from '../formulas/groups.js'
import { law, near, type Law } from '../law.js'
import { grid } from '../objective/example.js'
import { changed, copyOf, requests, showRequest, type RequestLimits } from './requests.js'

export interface FormulaParts {
  /** Discount per token; default 1. */
  readonly gamma?: number
  /** Weight of longer returns; default 0.95. */
  readonly lambda?: number
  /** KL penalty that it takes off the rewards itself; default 0. */
  readonly beta?: number
  /** Advantages are whitened over the batch. */
  readonly whitened?: boolean
}

/** Estimators by what they claim to compute. */
export function formulaLaws(get: () => Promise<Estimator>, limits: RequestLimits, parts: FormulaParts): Law[] {
  const { gamma = 1, lambda = 0.95, beta = 0, whitened = false } = parts
  const estimate = async (request: EstimatorRequest) => (await get()).estimate(copyOf(request))
  const arbitrary = requests(limits)

  /** Rewards after the KL penalty. */
  const penalised = ({ rewards, logProbs, refLogProbs = logProbs }: EstimatorRequest) =>
    rewards.map((reward, slot) => reward - beta * (logProbs[slot] - refLogProbs[slot]))
  const equal = (request: EstimatorRequest, found: Float64Array, expected: Float64Array, what: string) =>
    request.mask.forEach((bit, slot) => {
      if (bit !== 0) near(found[slot], expected[slot], 1e-9, `the ${what} of slot ${slot}`)
    })
  const advantagesOf = (request: EstimatorRequest, advantages: Float64Array) =>
    whitened ? whiten({ values: advantages, mask: request.mask }) : advantages

  return [
    law({
      name: 'gae/advantages',
      statement:
        'Advantages are the sum of the residuals, each (γλ) times the one before; the value after the last token is 0.',
      formula: 'A_t = Σ_k (γλ)^k δ_{t+k}, δ_t = r_t + γ V_{t+1} − V_t',
      source: 'Schulman et al., arXiv 1506.02438, eq. 16',
      capability: 'gae',
      arbitrary,
      show: showRequest,
      holds: async (request) => {
        const expected = gae({
          ...request,
          rewards: penalised(request),
          values: request.values as Float64Array,
          gamma,
          lambda,
        })
        equal(request, (await estimate(request)).advantages, advantagesOf(request, expected.advantages), 'advantage')
      },
    }),
    law({
      name: 'gae/returns',
      statement: 'Returns are advantages plus values, taken before any whitening.',
      formula: 'R_t = A_t + V_t',
      source: 'arXiv 1707.06347; TRL’s PPO',
      capability: 'gae',
      arbitrary,
      show: showRequest,
      holds: async (request) => {
        const expected = gae({
          ...request,
          rewards: penalised(request),
          values: request.values as Float64Array,
          gamma,
          lambda,
        })
        equal(request, (await estimate(request)).returns, expected.returns, 'return')
      },
    }),
    law({
      name: 'gae/cut-completions',
      statement:
        'Where a completion was cut, the value of the state that it was cut in stands for what would have come; where it ended, 0.',
      formula: 'δ_T = r_T + γ V_{T+1} − V_T, V_{T+1} = 0 unless cut',
      source: 'Pardo et al., arXiv 1712.00378, section 3; TRL issue 1536: a truncated episode treated as terminal',
      capability: 'finalValues',
      arbitrary: arbitrary.chain((request) =>
        fc
          .array(grid(-4, 4), { minLength: request.rows, maxLength: request.rows })
          .map((values): EstimatorRequest => ({ ...request, finalValues: Float64Array.from(values) })),
      ),
      show: showRequest,
      holds: async (request) => {
        const { finalValues, ...ended } = request
        const rewards = ended.rewards.map((reward, slot) => {
          const row = Math.floor(slot / ended.width)
          const isLast = ended.mask.slice(slot + 1, (row + 1) * ended.width).every((bit) => bit === 0)
          return isLast ? reward + gamma * (finalValues as Float64Array)[row] : reward
        })
        const [found, expected] = [await estimate(request), await estimate({ ...ended, rewards })]
        equal(request, found.advantages, expected.advantages, 'advantage')
        equal(request, found.returns, expected.returns, 'return')
      },
    }),
    law({
      name: 'gae/monte-carlo-returns',
      statement: 'Returns are the discounted sums of the rewards from each token on.',
      formula: 'R_t = Σ_k γ^k r_{t+k}',
      source: 'Sutton and Barto, Reinforcement Learning, eq. 3.8',
      capability: 'monteCarlo',
      arbitrary,
      show: showRequest,
      holds: async (request) =>
        equal(
          request,
          (await estimate(request)).returns,
          monteCarloReturns({ ...request, rewards: penalised(request), gamma }),
          'return',
        ),
    }),
    law({
      name: 'gae/whitened',
      statement: 'Advantages have mean 0 and variance 1 over the real tokens of the batch.',
      formula: 'mean_m A = 0, var_m A = 1',
      source: 'torchtune whiten(shift_mean=True) puts the mean back',
      capability: 'whitened',
      arbitrary,
      show: showRequest,
      holds: async (request) => {
        // So far apart that the 1e-8 beside the variance does not show.
        const { advantages }: EstimatorReply = await estimate(changed(request, (values) => values.map((v) => 1000 * v)))
        const real = Array.from(advantages).filter((_, slot) => request.mask[slot] !== 0)
        const mean = real.reduce((a, b) => a + b, 0) / real.length
        near(mean, 0, 1e-9, 'the mean')
        const variance = real.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, real.length - 1)
        // A constant has no variance to scale.
        if (variance > 1e-12) near(variance, 1, 1e-4, 'the variance')
      },
    }),
  ]
}
