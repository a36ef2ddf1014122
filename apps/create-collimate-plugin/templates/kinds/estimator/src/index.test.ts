import { expect, test } from 'vitest'
import { rewardToGo } from './index.js'

test('two completions, rewarded at their ends; what is masked counts for nothing', () => {
  const { returns, advantages } = rewardToGo(
    {
      rows: 2,
      width: 3,
      rewards: Float64Array.of(0, 0, 4, 0, 2, NaN),
      logProbs: new Float64Array(6),
      mask: Uint8Array.of(1, 1, 1, 1, 1, 0),
    },
    { discount: 0.5 },
  )
  expect([...returns]).toEqual([1, 2, 4, 1, 2, 0])
  expect([...advantages]).toEqual([-1, 0, 2, -1, 0, 0])
})
