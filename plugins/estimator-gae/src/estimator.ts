import type { Estimator } from '@collimate/core'
import { whiten } from '@collimate/rollouts'
import { checkRequest } from './check-request.js'
import { generalisedAdvantages } from './generalised-advantages.js'
import type { GaeOptions } from './options.js'

/** Advantages from a critic's values. Returns, which the critic learns, are taken before the advantages are whitened. */
export function gaeEstimator(options: GaeOptions): Estimator {
  return {
    async estimate(given) {
      const request = checkRequest(given)
      const { advantages, returns } = generalisedAdvantages(request, options)
      return { advantages: options.whiten ? whiten(advantages, request.mask) : advantages, returns }
    },
  }
}
