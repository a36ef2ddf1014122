import type { Estimator, EstimatorReply, EstimatorRequest } from '@collimate/core'
import { lawsOfEstimator, ownFormulas } from '@collimate/laws'
import type { EstimatorLawOptions } from '@collimate/laws'
import { sequences } from './estimators-sequence.js'
import { gae as gaeMutations } from './formulas.js'
import { mutantsOf, type Mutation } from './mutant.js'

type Estimate = (request: EstimatorRequest) => EstimatorReply

const [gamma, lambda] = [0.9, 0.8]

/** Generalised advantages; a request without values is refused. */
const gaeOf =
  ({ gae }: Pick<typeof ownFormulas, 'gae'>): Estimate =>
  ({ rows, width, rewards, values, mask }) => {
    if (!values) throw new TypeError('needs values')
    return gae({ rows, width, rewards, values, mask, gamma, lambda })
  }

const suiteWith = (options: Omit<EstimatorLawOptions, 'name' | 'create'>) => (estimate: Estimate, name: string) => {
  const estimator: Estimator = { estimate: async (request) => estimate(request) }
  return lawsOfEstimator({ name, create: () => estimator, ...options })
}

const mutation = (
  id: string,
  defect: string,
  what: string,
  wrong: (right: Estimate) => Estimate,
): Mutation<Estimate> => ({ id: `estimator-${id}`, defect, what, wrong })

export const estimators = [
  mutantsOf<Estimate>({
    subject: 'generalised advantages',
    right: gaeOf(ownFormulas),
    suite: suiteWith({ gamma, lambda, claims: { gae: true, rowwise: true } }),
    mutations: [
      ...gaeMutations
        .filter(({ id }) => id.startsWith('formula-gae'))
        .map(({ id, defect, what, wrong }) => ({
          ...{ id: id.replace('formula', 'estimator'), defect, what },
          wrong: () => gaeOf(wrong(ownFormulas)),
        })),
      mutation('writes-into-request', '-', 'the rewards of the caller are overwritten', (right) => (request) => {
        const reply = right(request)
        request.rewards.set(reply.advantages)
        return reply
      }),
      mutation('returns-its-buffer', '-', 'the arrays of one reply are overwritten by the next', (right) => {
        let buffer: Float64Array = new Float64Array()
        return (request) => {
          const reply = right(request)
          if (buffer.length !== reply.advantages.length) buffer = reply.advantages
          buffer.set(reply.advantages)
          return { ...reply, advantages: buffer }
        }
      }),
      mutation('remembers', '-', 'advantages are scaled by a mean that runs over requests', (right) => {
        let seen = 0
        return (request) => {
          const reply = right(request)
          const scale = 1 / (1 + seen++)
          return { ...reply, advantages: reply.advantages.map((value) => value * scale) }
        }
      }),
      mutation(
        'centres-over-batch',
        'class 38',
        'the mean of the batch is subtracted: rows depend on each other',
        (right) => (request) => {
          const reply = right(request)
          const count = request.mask.reduce((sum, bit) => sum + bit, 0)
          const mean = reply.advantages.reduce((sum, value) => sum + value, 0) / Math.max(1, count)
          return {
            ...reply,
            advantages: reply.advantages.map((value, slot) => (request.mask[slot] === 0 ? 0 : value - mean)),
          }
        },
      ),
    ],
  }),
  ...sequences,
]
