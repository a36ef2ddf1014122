import type { Estimator, EstimatorReply, EstimatorRequest } from '@collimate/core'
import { gaeEstimator } from '@collimate/estimator-gae'
import { lawsOfEstimator } from '@collimate/laws'
import { mutantsOf, type Mutation } from './mutant.js'

const parts = { gamma: 0.9, lambda: 0.8 }

const mutation = (
  id: string,
  defect: string,
  what: string,
  wrong: (right: Estimator['estimate']) => Estimator['estimate'],
): Mutation<Estimator> => ({
  ...{ id: `gae-${id}`, defect, what },
  wrong: (right) => ({ estimate: wrong((request) => right.estimate(request)) }),
})

/** The request is changed before it is answered. */
const asked =
  (change: (request: EstimatorRequest) => EstimatorRequest) =>
  (right: Estimator['estimate']): Estimator['estimate'] =>
  (request) =>
    right(change(request))

/** The reply is changed; `plain` is what it is without whitening. */
const answered =
  (change: (reply: EstimatorReply, request: EstimatorRequest, plain: EstimatorReply) => EstimatorReply) =>
  (right: Estimator['estimate']): Estimator['estimate'] =>
  async (request) => {
    const plain = gaeEstimator({ ...parts, whiten: false })
    return change(await right(request), request, await plain.estimate(request))
  }

const realOf = (values: Float64Array, { mask }: EstimatorRequest) =>
  Array.from(values).filter((_, slot) => mask[slot] !== 0)
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

/** The estimator `gae` as it is installed, with whitening. */
export const gae = mutantsOf<Estimator>({
  subject: 'estimator gae',
  right: gaeEstimator({ ...parts, whiten: true }),
  suite: (estimator, name) =>
    lawsOfEstimator({
      ...{ name, create: () => estimator, ...parts },
      claims: { gae: true, whitened: true, needsValues: true, finalValues: true },
    }),
  mutations: [
    mutation(
      'adds-mean-back',
      'L3',
      'whitened advantages get their mean back',
      answered((reply, request, plain) => {
        const mean = meanOf(realOf(plain.advantages, request))
        return {
          ...reply,
          advantages: reply.advantages.map((value, slot) => (request.mask[slot] === 0 ? 0 : value + mean)),
        }
      }),
    ),
    mutation(
      'whitens-over-padding',
      'class 10',
      'mean and variance are taken over padding too',
      answered((_, { mask }, plain) => {
        const all = Array.from(plain.advantages)
        const mean = meanOf(all)
        const spread = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, all.length - 1))
        const advantages = plain.advantages.map((value, slot) =>
          mask[slot] === 0 ? 0 : (value - mean) / (spread + 1e-8),
        )
        return { ...plain, advantages }
      }),
    ),
    mutation(
      'returns-of-whitened',
      '-',
      'the critic learns values plus whitened advantages',
      answered(({ advantages }, { mask, values = advantages }) => ({
        advantages,
        returns: advantages.map((value, slot) => (mask[slot] === 0 ? 0 : value + values[slot])),
      })),
    ),
    mutation(
      'whitening-ignored',
      'L4',
      'whiten is read and used nowhere',
      answered((_, __, plain) => plain),
    ),
    mutation(
      'cut-is-the-end',
      'class 39',
      'a completion that was cut is taken for one that ended',
      asked(({ finalValues: _, ...request }) => request),
    ),
    mutation(
      'bootstraps-what-ended',
      'class 39',
      'what stands behind the last token is its own value again, also where it ended',
      asked((request) => {
        const { rows, width, mask, values = request.rewards } = request
        const last = (row: number) => mask.slice(row * width, (row + 1) * width).lastIndexOf(1)
        return {
          ...request,
          finalValues: Float64Array.from({ length: rows }, (_, row) =>
            last(row) < 0 ? 0 : values[row * width + last(row)],
          ),
        }
      }),
    ),
    mutation(
      'values-late',
      'class 2',
      'the value of a token is that of the state behind it',
      asked((request) => ({
        ...request,
        ...(request.values && {
          values: request.values.map((_, slot, all) => ((slot + 1) % request.width === 0 ? 0 : all[slot + 1])),
        }),
      })),
    ),
  ],
})
