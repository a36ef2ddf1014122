import { fraction } from '@collimate/core'
import { describe, expect, it } from 'vitest'
import { calibrationBins, calibrationMeasurements } from './calibration.js'
import { measurePairs, pairPredictions } from './measure-pairs.js'
import type { ScoredPair } from './score-pairs.js'

/** Pairs whose labels follow σ(factor · difference) of the differences that a model with this factor 1 tells. */
const drawn = (count: number, factor: number, seed = 1): ScoredPair[] =>
  Array.from({ length: count }, (_, i) => {
    const lead = 6 * (fraction(seed, 1, i) - 0.5)
    const first = fraction(seed, 2, i) < 1 / (1 + Math.exp(-factor * lead))
    return { chosen: first ? lead : 0, rejected: first ? 0 : lead, margin: 0 }
  })

describe('calibration', () => {
  it('counts each pair once, in the bin of its predicted probability, with the share that was right', () => {
    const pair = (lead: number): ScoredPair => ({ chosen: lead, rejected: 0, margin: 5 })
    // σ(2) = 0.881: bin 7; σ(0) = 0.5: bin 0, a tie is half right; σ(40) = 1: the last bin.
    const bins = calibrationBins(pairPredictions([pair(2), pair(-2), pair(2), pair(0), pair(40)]))
    expect(bins).toHaveLength(10)
    expect(bins.map(({ observed }) => observed.count)).toEqual([1, 0, 0, 0, 0, 0, 0, 3, 0, 1])
    expect(bins[7].predicted).toBeCloseTo(1 / (1 + Math.exp(-2)), 12)
    expect(bins[7].observed.value).toBeCloseTo(2 / 3, 12)
    expect(bins[0].observed.value).toBe(0.5)
    expect(bins[9].observed).toMatchObject({ value: 1, high: 1 })
    expect(bins[3].predicted).toBeUndefined()
    expect(bins.map(({ from, to }) => [from, to])).toContainEqual([0.5, 0.55])
    expect(bins.at(-1)?.to).toBe(1)
  })

  it('finds a model that is calibrated so, and one that is too sure not', () => {
    const of = (factor: number) =>
      calibrationMeasurements(
        pairPredictions(drawn(4000, factor)).map((one) => [one]),
        3,
      )
    const honest = of(1)
    const over = honest['eval_calibration/overconfidence']
    expect(over.low).toBeLessThan(0)
    expect(over.high).toBeGreaterThan(0)
    expect(honest['eval_calibration/error'].value).toBeLessThan(0.03)
    // Differences that are twice as large as the labels justify.
    const sure = of(0.5)
    expect(sure['eval_calibration/overconfidence'].low).toBeGreaterThan(0.05)
    const { value, low, high } = sure['eval_calibration/error']
    expect(value).toBeCloseTo(sure['eval_calibration/overconfidence'].value, 2)
    expect(low).toBeGreaterThan(0.05)
    expect(high).toBeGreaterThan(value)
    expect(of(2)['eval_calibration/overconfidence'].high).toBeLessThan(0)
  })

  it('has intervals around its values for few pairs, too', () => {
    for (const count of [1, 2, 3, 7])
      for (const seed of [1, 2, 3, 4])
        for (const [name, { value, low = value, high = value }] of Object.entries(
          measurePairs(drawn(count, 1, seed), { centerRewardsCoefficient: 0 }, seed),
        )) {
          expect(low, name).toBeLessThanOrEqual(value)
          expect(high, name).toBeGreaterThanOrEqual(value)
        }
  })
})
