import { CollimateError } from '@collimate/core'

/**
 * Refuses to go on from a policy that has left its reference far behind.
 *
 * @param kl mean over completions of Σ_t log π/π_ref, nats
 * @throws CollimateError COLLIMATE_DIVERGED, COLLIMATE_NOT_FINITE
 */
export function checkDivergence(kl: number, maxKl: number): void {
  if (!Number.isFinite(kl))
    throw new CollimateError('COLLIMATE_NOT_FINITE', `the KL to the reference is ${kl}`, { hint: advice })
  if (kl > maxKl)
    throw new CollimateError(
      'COLLIMATE_DIVERGED',
      `the KL to the reference is ${kl.toFixed(1)} nats per completion, more than maxKl = ${maxKl}`,
      { hint: advice },
    )
}

const advice = 'lower the learning rate, raise beta, or raise maxKl if that is meant'
