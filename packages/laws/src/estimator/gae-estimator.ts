import { CollimateError, type Estimator, type EstimatorRequest } from '@collimate/core'
import { gae } from '../formulas/gae.js'
import { whiten } from '../formulas/groups.js'

export interface GaeParts {
  /** Discount per token; default 1. */
  readonly gamma?: number
  /** Weight of longer returns; default 0.95. */
  readonly lambda?: number
  /** Default true. */
  readonly whitened?: boolean
}

/** Generalised advantages made of the laws' own formulas: what laws give to a trainer with a critic. */
export function gaeEstimator({ gamma = 1, lambda = 0.95, whitened = true }: GaeParts = {}): Estimator {
  return {
    async estimate(request) {
      const { values, mask } = request
      if (!values) throw new CollimateError('COLLIMATE_ESTIMATE_INVALID', 'there are no values')
      const rewards = withFinalValues(request, gamma)
      const { advantages, returns } = gae({ ...request, rewards, values, gamma, lambda })
      return { advantages: whitened ? whiten({ values: advantages, mask }) : advantages, returns }
    },
  }
}

/** Rewards with γ times the value of the state after the last real token added to that token's. */
export function withFinalValues(
  { rows, width, rewards, mask, finalValues }: EstimatorRequest,
  gamma: number,
): Float64Array {
  const all = rewards.slice()
  for (let row = 0; finalValues && row < rows; row++) {
    const last = mask.slice(row * width, (row + 1) * width).lastIndexOf(1)
    if (last >= 0) all[row * width + last] += gamma * finalValues[row]
  }
  return all
}
