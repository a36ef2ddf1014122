import type { ObjectiveTensors } from '@collimate/core'
import { evaluate, gradients, input, sum, type Tensor } from '@collimate/graph'
import { expect, test } from 'vitest'
import { focalObjective } from './index.js'

const logProbs = input('logProbs', [3])

/** Loss and derivative for probabilities of three tokens. */
function at(gamma: number, ...p: number[]) {
  const [{ perUnit }] = focalObjective({ gamma }).terms({ logProbs } as ObjectiveTensors<Tensor>)
  const [loss, slope] = evaluate([perUnit, gradients(sum(perUnit), [logProbs])[0]], {
    logProbs: Float64Array.from(p, Math.log),
  })
  return { loss: [...loss.data], slope: [...slope.data] }
}

test('gamma 0 is the likelihood, more makes likely tokens count less', () => {
  expect(at(0, 0.5, 0.25, 1).loss.map((value) => value / Math.log(2) || 0)).toEqual([1, 2, 0])
  expect(at(2, 0.5, 0.5, 0.5).loss[0]).toBeCloseTo(0.25 * Math.log(2))
})

test('value and derivative stay finite at p = 1 and for hopeless tokens', () => {
  for (const gamma of [0, 1, 2, 5]) {
    const { loss, slope } = at(gamma, 1, 1e-300, 0.5)
    for (const value of [...loss, ...slope]) expect(value).toSatisfy(Number.isFinite)
  }
})
