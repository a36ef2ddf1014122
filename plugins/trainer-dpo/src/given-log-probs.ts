import { CollimateError } from '@collimate/core'
import type { Example } from '@collimate/core'
import { scoredTokens } from '@collimate/data'

/** TRL's columns of reference log-probs, each summed over the tokens of the answer. */
const names = ['ref_chosen_logps', 'ref_rejected_logps'] as const

/**
 * Reference log-probs that the data brings, spread evenly over the tokens of each answer: only their sums matter.
 * Undefined where the row has neither column; COLLIMATE_DATA_FIELD_INVALID where one is missing or no finite number.
 */
export function givenLogProbs(pair: Example): Float64Array | undefined {
  const sums = names.map((name) => pair.columns[name])
  if (sums.every((sum) => sum === undefined)) return undefined
  const wrong = sums.findIndex((sum) => typeof sum !== 'number' || !Number.isFinite(sum))
  if (wrong >= 0) {
    const found = JSON.stringify(sums[wrong]) ?? 'missing'
    throw new CollimateError('COLLIMATE_DATA_FIELD_INVALID', `row ${pair.index}: column ${names[wrong]} is ${found}`, {
      hint: `give both ${names.join(' and ')} as finite numbers, or leave both out`,
    })
  }
  return Float64Array.from(
    (sums as number[]).flatMap((sum, answer) => {
      const { length } = scoredTokens(pair, answer)
      return Array.from({ length }, () => sum / length)
    }),
  )
}
