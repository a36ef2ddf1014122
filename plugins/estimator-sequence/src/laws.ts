import type { EstimatorRequest } from '@collimate/core'
import {
  lawsOfEstimator,
  lawsOfFormulas,
  lawsOfOptions,
  type EstimatorClaims,
  type EstimatorLawOptions,
  type LawSuite,
} from '@collimate/laws'
import {
  baselines,
  sequence,
  sequenceEstimator,
  sequenceOptions,
  type BaselineName,
  type SequenceOptions,
} from './index.js'

/** The laws of the estimator with its defaults, with every baseline, normalised, and of the formulas that it is made of. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfEstimator({
      name: 'sequence',
      create: () => sequenceEstimator(sequenceOptions.parse({})),
      claims: sequence.definition.capabilities,
    }),
    ...Object.entries(claimsOf).map(([baseline, claims]) =>
      suiteOf({ baseline: baseline as BaselineName }, { claims: { monteCarlo: true, ...claims } }),
    ),
    suiteOf({ baseline: 'leave-one-out' }, { groupSize: 2, claims: claimsOf['leave-one-out'] }),
    suiteOf({ baseline: 'moving-average' }, { groupSize: 2, claims: claimsOf['moving-average'] }),
    suiteOf(
      { baseline: 'leave-one-out', normalizeAdvantages: true },
      { claims: { ...claimsOf['leave-one-out'], rowwise: false, normalized: true } },
    ),
    suiteOf({ baseline: 'none', normalizeAdvantages: true }, { claims: { noBaseline: true, normalized: true } }),
    lawsOfFormulas({
      name: 'estimator sequence',
      formulas: {
        leaveOneOut: (rewards, size) => byGroup('leave-one-out', rewards, size),
        groupAdvantages: (rewards, size, scale) => byGroup(scale === 'std' ? 'group-std' : 'group-mean', rewards, size),
      },
    }),
    lawsOfOptions({
      plugin: sequence,
      output: (options) => sequenceEstimator(options as SequenceOptions).estimate(rollouts),
      alternatives: {
        baseline: [
          ...(['none', 'moving-average', 'group-mean', 'group-std', 'batch-std'] as const).map((value) => ({ value })),
          { value: 'mean', refused: true },
        ],
        normalizeAdvantages: [{ value: true }],
      },
    }),
  ]
}

/** What each baseline claims. */
const claimsOf: Readonly<Record<BaselineName, EstimatorClaims>> = {
  none: { noBaseline: true, rowwise: true },
  'moving-average': { movingAverage: true, rowwise: true },
  'leave-one-out': { leaveOneOut: true, rowwise: true, needsGroups: true },
  'group-mean': { groupMean: true, rowwise: true, needsGroups: true },
  'group-std': { groupStd: true, rowwise: true, needsGroups: true },
  'batch-std': { batchStd: true, needsGroups: true },
}

function suiteOf(given: Partial<SequenceOptions>, options: Omit<EstimatorLawOptions, 'name' | 'create'>): LawSuite {
  const parts = [given.baseline, options.groupSize && `groups of ${options.groupSize}`]
  const named = [...parts, given.normalizeAdvantages && 'normalised'].filter(Boolean).join(', ')
  return lawsOfEstimator({
    name: `sequence (${named})`,
    create: () => sequenceEstimator(sequenceOptions.parse(given)),
    ...options,
  })
}

function byGroup(baseline: BaselineName, rewards: readonly number[], size: number): Float64Array {
  const advantages: number[] = []
  for (let start = 0; start < rewards.length; start += size)
    advantages.push(
      ...baselines[baseline].advantages({ group: rewards.slice(start, start + size), batch: rewards, earlier: 0 }),
    )
  return Float64Array.from(advantages)
}

/** Two prompts of two completions, the second of three tokens and two. */
const rollouts: EstimatorRequest = {
  ...{ rows: 4, width: 2, groupSize: 2, meanReward: 0.5 },
  rewards: Float64Array.of(0.25, -0.5, 2, 0, 1, 1.5, -1, 0),
  logProbs: new Float64Array(8),
  mask: Uint8Array.of(1, 1, 1, 0, 1, 1, 1, 0),
}
