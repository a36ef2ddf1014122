import { CollimateError } from '@collimate/core'
import type { EstimatorRequest } from '@collimate/core'
import type { AdvantageRequest } from './generalised-advantages.js'

/**
 * Refuses a request without a critic's values, of arrays that do not fit each other, or with a number that is not finite
 * where the mask is 1: COLLIMATE_ESTIMATE_INVALID.
 */
export function checkRequest(request: EstimatorRequest): AdvantageRequest {
  const { rows, width, rewards, values, mask, finalValues } = request
  if (!values)
    throw invalid('there are no values: generalised advantages need a critic', [
      'use a trainer with a critic, such as ppo, or an estimator without values, such as sequence',
    ])
  const arrays = { rewards, values, mask }
  for (const [name, { length }] of Object.entries(arrays))
    if (length !== rows * width) throw invalid(`${name} have ${length} numbers, not ${rows} rows of ${width}`)
  if (finalValues && finalValues.length !== rows)
    throw invalid(`finalValues have ${finalValues.length} numbers, not one for each of ${rows} rows`)
  for (const [name, numbers] of Object.entries({ rewards, values })) {
    const slot = numbers.findIndex((value, at) => mask[at] !== 0 && !Number.isFinite(value))
    if (slot >= 0)
      throw invalid(`${name} of row ${Math.floor(slot / width)}, token ${slot % width}: ${String(numbers[slot])}`)
  }
  const row = finalValues?.findIndex((value) => !Number.isFinite(value)) ?? -1
  if (row >= 0) throw invalid(`the final value of row ${row} is ${String(finalValues?.[row])}`)
  return { rows, width, rewards, values, mask, ...(finalValues && { finalValues }) }
}

function invalid(problem: string, [hint]: readonly string[] = []): CollimateError {
  return new CollimateError('COLLIMATE_ESTIMATE_INVALID', `estimator "gae": ${problem}`, {
    ...(hint !== undefined && { hint }),
  })
}
