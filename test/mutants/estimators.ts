import type { Estimator, EstimatorReply, EstimatorRequest } from '@collimate/core'
import { lawsOfEstimator, ownFormulas } from '@collimate/laws'
import type { EstimatorLawOptions } from '@collimate/laws'
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

const leaveOneOut: Estimate = ({ rows, width, rewards, mask }) => {
  const totals = Array.from({ length: rows }, (_, row) => {
    const slots = Array.from({ length: width }, (_slot, column) => row * width + column)
    return slots.reduce((sum, slot) => sum + (mask[slot] === 0 ? 0 : rewards[slot]), 0)
  })
  const perRow = ownFormulas.leaveOneOut(totals, 3)
  const advantages = Float64Array.from(mask, (bit, slot) => (bit === 0 ? 0 : perRow[Math.floor(slot / width)]))
  return { advantages, returns: advantages.slice() }
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
  mutantsOf<Estimate>({
    subject: 'leave-one-out',
    right: leaveOneOut,
    suite: suiteWith({ groupSize: 3, claims: { leaveOneOut: true, rowwise: true } }),
    mutations: [
      mutation(
        'counts-padding',
        'class 10',
        'the reward of a row is summed over its padding too',
        (right) => (request) =>
          right({ ...request, rewards: request.rewards, mask: new Uint8Array(request.mask.length).fill(1) }),
      ),
      mutation('baseline-includes-own', 'class 40', 'the baseline contains the own reward', (right) => (request) => {
        const { advantages, returns } = right(request)
        return { advantages: advantages.map((value) => (value * 2) / 3), returns }
      }),
      mutation('groups-slip', 'class 25', 'groups begin one row late', (right) => (request) => {
        const { rows, width, rewards, mask } = request
        const turned = <Values extends Float64Array | Uint8Array>(values: Values, by: number): Values => {
          const moved = values.slice() as Values
          for (let row = 0; row < rows; row++)
            moved.set(values.subarray(row * width, (row + 1) * width), ((row + by + rows) % rows) * width)
          return moved
        }
        const { advantages, returns } = right({ ...request, rewards: turned(rewards, 1), mask: turned(mask, 1) })
        return { advantages: turned(advantages, -1), returns: turned(returns, -1) }
      }),
    ],
  }),
]
