import type { ForestBatch, LossTerm, Objective, ObjectiveTensors } from '@collimate/core'
import { div, interpret, log, mul, reshape, slice, sub, type Tensor } from '@collimate/graph'
import { describe, expect, test } from 'vitest'
import { feedsOf, float64, forestBatch, zerosLike } from '../testing/parity.js'
import { tinyLlama } from '../testing/tiny-models.js'
import { batchSizes } from './batch-inputs.js'
import { termScales } from './count-units.js'
import { objectiveProgram } from './objective-program.js'
import { objectiveReport } from './objective-report.js'
import { outputsProgram } from './outputs-program.js'

const files = tinyLlama()

/** Two sequences of two tokens in one row, with padded slots; inputs may hold anything there. */
function batch(inputs: ForestBatch['inputs'] = {}): ForestBatch {
  const row = {
    tokens: [1, 4, 5, 6, 7, 0],
    positions: [0, 1, 2, 1, 2, 0],
    segments: [0, 1, 1, 2, 2, -1],
    prompts: [0, 0, 0, 0, 0, -1],
  }
  const scored = [
    { source: 0, target: 4, sequence: 0 },
    { source: 1, target: 5, sequence: 0 },
    { source: 0, target: 6, sequence: 1 },
    { source: 3, target: 7, sequence: 1 },
  ]
  return { ...forestBatch({ rows: 1, width: 6, ...row }, scored, 2, 2), inputs }
}

function objective(
  terms: (t: ObjectiveTensors<Tensor>) => LossTerm<Tensor>[],
  more: Partial<Objective<Tensor>> = {},
): Objective<Tensor> {
  return { name: 'test', outputs: ['logProbs'], inputs: {}, coupled: false, terms, metrics: () => ({}), ...more }
}

function run(one: Objective<Tensor>, batches: readonly ForestBatch[]) {
  const weights = float64(files.weights)
  const states = { ...weights, ...zerosLike(weights, 'grad.') }
  const request = { ...files, sizes: batchSizes(batches[0]), objective: one, metrics: true }
  const parts = batches.map((part, i) => {
    const built = objectiveProgram({ ...request, gradients: i === 0 ? 'assign' : 'add' })
    const feeds = feedsOf(built.program, part, termScales(built.terms, batches))
    const { outputs } = interpret(built.program, { feeds, states })
    return { built, data: Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data])) }
  })
  const gradient = Object.keys(weights).flatMap((name) => [...states[`grad.${name}`].data])
  return {
    report: objectiveReport(
      parts[0].built,
      parts.map(({ data }) => data),
    ),
    gradient,
  }
}

const logProbs = (): Float64Array => {
  const built = outputsProgram({ ...files, sizes: batchSizes(batch()), names: ['logProbs'] })
  return interpret(built, { feeds: feedsOf(built, batch()), states: float64(files.weights) }).outputs['logProbs']
    .data as Float64Array
}

describe('units', () => {
  test('tokens, sequences and pairs are averaged over the real ones, terms are weighted', () => {
    const p = logProbs()
    expect(p.slice(4)).toEqual(Float64Array.of(0, 0))
    const sums = [p[0] + p[1], p[2] + p[3]]
    const pairs = (x: Tensor) => {
      const column = (i: number) => reshape(slice(reshape(x, [2, 2]), [0, i], [2, i + 1]), [2])
      return sub(column(0), column(1))
    }
    const one = objective((t) => [
      { perUnit: t.logProbs, unit: 'tokens', weight: -1 },
      { perUnit: t.sumBySequence(t.logProbs), unit: 'sequences', weight: 0.5 },
      { perUnit: pairs(t.sumBySequence(t.logProbs)), unit: 'pairs' },
    ])
    const { loss } = run(one, [batch()]).report
    expect(loss).toBeCloseTo(-(sums[0] + sums[1]) / 4 + (0.5 * (sums[0] + sums[1])) / 2 + sums[0] - sums[1], 12)
  })

  test('select counts the chosen units only, in terms and metrics', () => {
    const p = logProbs()
    const one = objective((t) => [{ perUnit: t.logProbs, unit: 'tokens', select: 'chosen' }], {
      inputs: { chosen: 'tokens' },
      metrics: (t) => ({ m: { perUnit: t.logProbs, unit: 'tokens', select: sub(1, t.inputs['chosen']) } }),
    })
    const { loss, metrics } = run(one, [batch({ chosen: Float32Array.of(1, 0, 0, 1, 1, 1) })]).report
    expect(loss).toBeCloseTo((p[0] + p[3]) / 2, 12)
    expect(metrics['m'].count).toBe(2)
    expect(metrics['m'].sum).toBeCloseTo(p[1] + p[2], 12)
  })

  test('no unit at all is a loss of 0 with no gradient', () => {
    const one = objective((t) => [{ perUnit: t.logProbs, unit: 'tokens', select: 'none' }], {
      inputs: { none: 'tokens' },
    })
    const { report, gradient } = run(one, [batch({ none: new Float32Array(6) })])
    expect(report.loss).toBe(0)
    expect(gradient.every((value) => value === 0)).toBe(true)
  })
})

test('NaN in padding reaches neither loss nor gradient', () => {
  const one = objective(
    (t) => [
      { perUnit: mul(t.logProbs, t.inputs['perToken']), unit: 'tokens' },
      // 0 / 0 and log 0 in the padded sequences.
      { perUnit: log(div(t.sumBySequence(t.logProbs), t.inputs['perSequence'])), unit: 'sequences' },
    ],
    { inputs: { perToken: 'tokens', perSequence: 'sequences' } },
  )
  const of = (padding: number) =>
    run(one, [
      batch({
        perToken: Float64Array.of(1, 2, 3, 4, padding, padding),
        perSequence: Float64Array.of(-2, -3, padding, padding),
      }),
    ])
  const poisoned = of(NaN)
  const clean = of(1)
  expect(poisoned.report.loss).toBe(clean.report.loss)
  expect(Number.isFinite(poisoned.report.loss)).toBe(true)
  expect(poisoned.gradient).toEqual(clean.gradient)
  expect(poisoned.gradient.every(Number.isFinite)).toBe(true)
})

test('micro-batches: whole loss, own losses, added gradients', () => {
  const one = objective((t) => [{ perUnit: mul(t.logProbs, t.inputs['a']), unit: 'tokens', select: 's' }], {
    inputs: { a: 'tokens', s: 'tokens' },
  })
  const part = (a: number, s: number[]) => batch({ a: new Float64Array(6).fill(a), s: Float64Array.from([...s, 0, 0]) })
  const [x, y] = [part(1, [1, 1, 1, 1]), part(2, [1, 0, 0, 0])]
  const both = run(one, [x, y])
  const [onlyX, onlyY] = [run(one, [x]), run(one, [y])]
  expect(both.report.microBatches.map(({ loss }) => loss)).toEqual([onlyX.report.loss, onlyY.report.loss])
  expect(both.report.loss).toBeCloseTo((4 * onlyX.report.loss + onlyY.report.loss) / 5, 12)
  both.gradient.forEach((value, i) => expect(value).toBeCloseTo((4 * onlyX.gradient[i] + onlyY.gradient[i]) / 5, 12))
})

test('extremes are those of all micro-batches, of the units that count', () => {
  const metrics = (t: ObjectiveTensors<Tensor>) => ({
    least: { perUnit: t.inputs['a'], unit: 'tokens', extreme: 'least' } as const,
    greatest: { perUnit: t.inputs['a'], unit: 'tokens', extreme: 'greatest' } as const,
    none: { perUnit: t.inputs['a'], unit: 'tokens', select: mul(t.inputs['a'], 0), extreme: 'least' } as const,
  })
  const one = objective((t) => [{ perUnit: t.logProbs, unit: 'tokens' }], { inputs: { a: 'tokens' }, metrics })
  const part = (...a: number[]) => batch({ a: Float64Array.of(...a, -100, 100) })
  const { report } = run(one, [part(3, 4, 5, 6), part(8, 7, -2, 4)])
  expect(report.metrics).toEqual({
    least: { sum: -2, count: 1 },
    greatest: { sum: 8, count: 1 },
    none: { sum: 0, count: 0 },
  })
  expect(report.microBatches.map(({ metrics: { least, greatest } }) => [least.sum, greatest.sum])).toEqual([
    [3, 6],
    [-2, 8],
  ])
})

describe('refused', () => {
  const build = (one: Objective<Tensor>, sequences = 4) =>
    objectiveProgram({
      ...files,
      sizes: { ...batchSizes(batch()), sequences },
      objective: one,
      metrics: false,
      gradients: 'none',
    })

  test('an output that the model lacks', () => {
    expect(() => build(objective((t) => [{ perUnit: t.scores, unit: 'sequences' }], { outputs: ['scores'] }))).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_OUTPUT_MISSING' }) as Error,
    )
  })

  test('a value of the wrong size, a selection by something else', () => {
    const invalid = expect.objectContaining({ code: 'COLLIMATE_OBJECTIVE_INVALID' }) as Error
    expect(() => build(objective((t) => [{ perUnit: t.logProbs, unit: 'sequences' }]))).toThrow(invalid)
    expect(() => build(objective((t) => [{ perUnit: t.logProbs, unit: 'tokens', select: 'x' }]))).toThrow(invalid)
    expect(() => build(objective(() => []))).toThrow(invalid)
  })

  test('pairs of an odd number of sequences, a temperature that is none', () => {
    const pairs = objective((t) => [{ perUnit: t.sequenceMask, unit: 'pairs' }])
    expect(() => build(pairs, 3)).toThrow(expect.objectContaining({ code: 'COLLIMATE_BATCH_INVALID' }) as Error)
    for (const temperature of [0, -1, NaN, Infinity]) {
      expect(() => outputsProgram({ ...files, sizes: batchSizes(batch()), names: ['entropy'], temperature })).toThrow(
        expect.objectContaining({ code: 'COLLIMATE_TEMPERATURE_INVALID' }) as Error,
      )
    }
  })
})

test('temperature divides the logits', () => {
  const outputs = (temperature: number) => {
    const names = ['logProbs', 'entropy', 'meanLogits', 'correct'] as const
    const built = outputsProgram({ ...files, sizes: batchSizes(batch()), names, temperature })
    return interpret(built, { feeds: feedsOf(built, batch()), states: float64(files.weights) }).outputs
  }
  const [one, hot] = [outputs(1), outputs(1e6)]
  expect(hot['entropy'].data[0]).toBeCloseTo(Math.log(11), 9)
  expect(hot['logProbs'].data[0]).toBeCloseTo(-Math.log(11), 5)
  expect(hot['meanLogits'].data[0]).toBeCloseTo(one['meanLogits'].data[0] / 1e6, 15)
  expect(hot['correct'].data).toEqual(one['correct'].data)
})
