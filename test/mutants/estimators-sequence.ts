import type { Estimator, EstimatorReply, EstimatorRequest } from '@collimate/core'
import { sequence, sequenceEstimator, sequenceOptions } from '@collimate/estimator-sequence'
import type { SequenceOptions } from '@collimate/estimator-sequence'
import { lawsOfEstimator } from '@collimate/laws'
import type { EstimatorLawOptions } from '@collimate/laws'
import { mutantsOf, type Mutation } from './mutant.js'

type Estimate = Estimator['estimate']

const suiteWith = (options: Omit<EstimatorLawOptions, 'name' | 'create'>) => (estimate: Estimate, name: string) =>
  lawsOfEstimator({ name, create: () => ({ estimate }), ...options })

const rightOf = (options: Partial<SequenceOptions>): Estimate =>
  sequenceEstimator(sequenceOptions.parse(options)).estimate

/** An estimator that is asked something else. */
const asking =
  (change: (request: EstimatorRequest) => EstimatorRequest) =>
  (right: Estimate): Estimate =>
  (request) =>
    right(change(request))

/** An estimator whose answer is changed. */
const answering =
  (change: (reply: EstimatorReply, request: EstimatorRequest) => EstimatorReply) =>
  (right: Estimate): Estimate =>
  async (request) =>
    change(await right(request), request)

const advantages = (change: (advantage: number, slot: number, request: EstimatorRequest) => number) =>
  answering((reply, request) => ({
    ...reply,
    advantages: reply.advantages.map((value, slot) => (request.mask[slot] === 0 ? 0 : change(value, slot, request))),
  }))

/** Rows moved down by `by`, the last ones to the top. */
const turned = <Values extends Float64Array | Uint8Array>(values: Values, by: number, rows: number): Values => {
  const width = values.length / rows
  const moved = values.slice() as Values
  for (let row = 0; row < rows; row++)
    moved.set(values.subarray(row * width, (row + 1) * width), ((row + by + rows) % rows) * width)
  return moved
}

const leaveOneOut: readonly Mutation<Estimate>[] = [
  {
    id: 'sequence-counts-padding',
    defect: 'class 10',
    what: 'the reward of a completion is summed over its padding too',
    wrong: asking((request) => ({ ...request, mask: new Uint8Array(request.mask.length).fill(1) })),
  },
  {
    id: 'sequence-baseline-includes-own',
    defect: 'class 40',
    what: 'the baseline contains the own reward',
    wrong: advantages((value, _, { groupSize = 1 }) => (value * (groupSize - 1)) / groupSize),
  },
  {
    id: 'sequence-groups-slip',
    defect: 'class 25',
    what: 'groups begin one row late',
    wrong: (right) => async (request) => {
      const { rows, rewards, mask } = request
      const reply = await right({ ...request, rewards: turned(rewards, 1, rows), mask: turned(mask, 1, rows) })
      return { advantages: turned(reply.advantages, -1, rows), returns: turned(reply.returns, -1, rows) }
    },
  },
  {
    id: 'sequence-group-is-batch',
    defect: 'class 38',
    what: 'a completion is compared with those of other prompts',
    wrong: asking((request) => ({ ...request, groupSize: request.rows })),
  },
  {
    id: 'sequence-masked-rows-count',
    defect: 'class 38',
    what: 'a completion that is left out counts in the baseline, with the reward 0',
    wrong: (right) => async (request) => {
      const { mask, rewards, width } = request
      const emptied = Array.from(mask, (_, slot) =>
        mask.slice(slot - (slot % width), slot - (slot % width) + width),
      ).map((row) => row.every((bit) => bit === 0))
      const filled = mask.map((bit, slot) => (emptied[slot] && slot % width === 0 ? 1 : bit))
      const reply = await right({
        ...request,
        mask: filled,
        rewards: rewards.map((value, slot) => (emptied[slot] ? 0 : value)),
      })
      const off = (values: Float64Array) => values.map((value, slot) => (mask[slot] === 0 ? 0 : value))
      return { advantages: off(reply.advantages), returns: off(reply.returns) }
    },
  },
  {
    id: 'sequence-sign',
    defect: 'class 31',
    what: 'the advantage has the wrong sign',
    wrong: advantages((value) => -value),
  },
  {
    id: 'sequence-spread-over-tokens',
    defect: 'class 27',
    what: 'the advantage of a completion is divided among its tokens',
    wrong: advantages((value, slot, { mask, width }) => {
      const row = slot - (slot % width)
      return value / mask.slice(row, row + width).reduce((sum, bit) => sum + bit, 0)
    }),
  },
  {
    id: 'sequence-group-of-one',
    defect: 'class 26',
    what: 'one completion a prompt is accepted, and nothing is learnt from it',
    wrong: (right) => async (request) =>
      (request.groupSize ?? 1) > 1
        ? right(request)
        : { advantages: new Float64Array(request.mask.length), returns: new Float64Array(request.mask.length) },
  },
]

const groupStd: readonly Mutation<Estimate>[] = [
  {
    id: 'sequence-constant-group',
    defect: 'class 26',
    what: 'nothing stands beside the standard deviation: a group of equal rewards gives NaN',
    wrong: advantages((value) => (value === 0 ? NaN : value)),
  },
  {
    id: 'sequence-population-deviation',
    defect: '-',
    what: 'the standard deviation is that of a whole population, not of a sample',
    wrong: advantages((value, _, { groupSize = 1 }) => value * Math.sqrt(groupSize / (groupSize - 1))),
  },
]

const movingAverage: readonly Mutation<Estimate>[] = [
  {
    id: 'sequence-mean-of-present',
    defect: 'class 40',
    what: 'the moving mean has the present batch in it',
    wrong: (right) => async (request) => {
      const { advantages: found } = await right({ ...request, meanReward: 0 })
      const mean = found.reduce((sum, value) => sum + value, 0) / found.length
      return right({ ...request, meanReward: 0.9 * (request.meanReward ?? 0) + 0.1 * mean })
    },
  },
  {
    id: 'sequence-mean-ignored',
    defect: 'class 30',
    what: 'the moving mean is read by nobody',
    wrong: asking(({ meanReward: _, ...request }) => request),
  },
  {
    id: 'sequence-mean-added',
    defect: 'class 31',
    what: 'the moving mean is added',
    wrong: asking((request) => ({ ...request, meanReward: -(request.meanReward ?? 0) })),
  },
]

const { capabilities } = sequence.definition

/** The estimator `sequence` with three of its baselines. */
export const sequences = [
  mutantsOf<Estimate>({
    ...{ subject: 'estimator sequence (leave-one-out)', right: rightOf({}), mutations: leaveOneOut },
    suite: suiteWith({ claims: capabilities }),
  }),
  mutantsOf<Estimate>({
    ...{ subject: 'estimator sequence (group-std)', right: rightOf({ baseline: 'group-std' }), mutations: groupStd },
    suite: suiteWith({ claims: { groupStd: true, rowwise: true } }),
  }),
  mutantsOf<Estimate>({
    subject: 'estimator sequence (moving-average)',
    ...{ right: rightOf({ baseline: 'moving-average' }), mutations: movingAverage },
    suite: suiteWith({ groupSize: 2, claims: { movingAverage: true, rowwise: true } }),
  }),
]
