import type { Estimator } from '@collimate/core'
import { shared } from '../shared.js'
import { suiteOf, type LawSuite } from '../suite.js'
import { baselineLaws } from './baseline-laws.js'
import { formulaLaws } from './formula-laws.js'
import { generalLaws } from './general-laws.js'

export { gaeEstimator, type GaeParts } from './gae-estimator.js'
export { baselineEstimator, type BaselineName } from './sequences.js'

/** What a configured estimator may claim; the laws check each claim. */
export interface EstimatorClaims {
  /** Generalised advantages of `gamma` and `lambda`; returns are advantages plus values. */
  readonly gae?: boolean
  /** Returns are discounted sums of rewards. */
  readonly monteCarlo?: boolean
  /** Advantages are whitened over the batch (after what else is claimed). */
  readonly whitened?: boolean
  /** The total reward itself. */
  readonly noBaseline?: boolean
  /** Reward less the moving mean of earlier rewards. */
  readonly movingAverage?: boolean
  /** Reward less the mean of the others of its group. */
  readonly leaveOneOut?: boolean
  /** Reward less the mean of its group. */
  readonly groupMean?: boolean
  /** The same over the group’s standard deviation. */
  readonly groupStd?: boolean
  /** The same over the standard deviation of the batch. */
  readonly batchStd?: boolean
  /** Advantages are shifted and scaled to mean 0 and deviation 1 over the completions of the batch (after what else is claimed). */
  readonly normalized?: boolean
  /** Rows (groups of them) do not depend on the others. */
  readonly rowwise?: boolean
  /** Refuses a request without values. */
  readonly needsValues?: boolean
  /** Refuses groups of one, in which there is nothing to compare. */
  readonly needsGroups?: boolean
  /** Bootstraps completions that were cut from `finalValues`. */
  readonly finalValues?: boolean
}

export interface EstimatorLawOptions {
  readonly name: string
  readonly create: () => Estimator | Promise<Estimator>
  readonly claims?: EstimatorClaims
  /** Discount that it is configured with; default 1. */
  readonly gamma?: number
  /** λ that it is configured with; default 0.95. */
  readonly lambda?: number
  /** Strength of the KL penalty that it takes off the rewards itself; default 0. */
  readonly beta?: number
  /** Rows of a group, where it compares them; default 1, 3 where a claim is about groups. */
  readonly groupSize?: number
}

/** The laws of a configured estimator. */
export function lawsOfEstimator(options: EstimatorLawOptions): LawSuite {
  const { name, create, claims = {}, ...parts } = options
  const estimator = shared(create)
  const { leaveOneOut, groupMean, groupStd, batchStd, needsGroups } = claims
  const grouped = [leaveOneOut, groupMean, groupStd, batchStd, needsGroups].some((claim) => claim === true)
  const limits = { groupSize: options.groupSize ?? (grouped ? 3 : 1) }
  return suiteOf({
    contract: 'estimator',
    subject: name,
    laws: [
      ...generalLaws(estimator.get, limits),
      ...baselineLaws(estimator.get, limits, {
        ...{ beta: options.beta, whitened: claims.whitened, normalized: claims.normalized },
      }),
      ...formulaLaws(estimator.get, limits, { ...parts, whitened: claims.whitened }),
    ],
    claims: { ...claims },
    close: () => estimator.close(),
  })
}
