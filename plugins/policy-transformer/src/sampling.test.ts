import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { evaluate, input, softmax } from '@collimate/graph'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseTokens, invertCumulative, truncate } from './sampling.js'
import type { Truncation } from './sampling.js'

/** The largest uniform number: 1 − 2^-24. */
const almostOne = 1 - 2 ** -24

const table = (rows: readonly (readonly number[])[], name = 'x') =>
  [input(name, [rows.length, rows[0].length]), { [name]: rows.flat() }] as const

describe('invertCumulative', () => {
  const masses = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1, noNaN: true })), {
    minLength: 1,
    maxLength: 40,
  })
  const withMass = masses.filter((row) => row.some((mass) => mass > 0))
  const uniform = fc.oneof(fc.constant(0), fc.constant(almostOne), fc.double({ min: 0, max: almostOne, noNaN: true }))

  function pick(row: readonly number[], u: number): number {
    const [tensor, values] = table([row])
    return evaluate(invertCumulative(tensor, input('u', [1, 1])), { ...values, u: [u] }).data[0]
  }

  test('is the index at which the cumulative sum exceeds u · total, and never one without mass', () => {
    fc.assert(
      fc.property(withMass, uniform, (row, u) => {
        const index = pick(row, u)
        expect(row[index]).toBeGreaterThan(0)
        const total = row.reduce((sum, mass) => sum + mass, 0)
        const before = row.slice(0, index).reduce((sum, mass) => sum + mass, 0)
        expect(before).toBeLessThanOrEqual(u * total + 1e-12)
        expect(before + row[index]).toBeGreaterThan(u * total - 1e-12)
      }),
    )
  })

  test('does not depend on the other rows', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 }), uniform),
          { minLength: 1, maxLength: 5 },
        ),
        (rows) => {
          const [tensor, values] = table(rows.map(([row]) => row))
          const uniforms = input('u', [rows.length, 1])
          const together = evaluate(invertCumulative(tensor, uniforms), { ...values, u: rows.map(([, u]) => u) })
          expect([...together.data]).toEqual(rows.map(([row, u]) => pick(row, u)))
        },
      ),
    )
  })
})

describe('truncate', () => {
  const distinct = fc
    .uniqueArray(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 12 })
    .map((logits) => logits.map((logit) => logit / 8))

  function kept(logits: readonly number[], truncation: Truncation) {
    const [tensor, values] = table([logits])
    const probabilities = softmax(tensor)
    const [all, some] = evaluate([probabilities, truncate(probabilities, truncation)], values)
    return [...all.data].map((probability, index) => ({ probability, kept: some.data[index] > 0 }))
  }

  test('keeps the k most likely tokens, or the fewest that reach p', () => {
    fc.assert(
      fc.property(
        distinct,
        fc.integer({ min: 1, max: 14 }),
        fc.double({ min: 0.01, max: 0.999, noNaN: true }),
        (logits, topK, topP) => {
          const byLikelihood = (truncation: Truncation) =>
            kept(logits, truncation).sort((a, b) => b.probability - a.probability)
          const size = (list: ReturnType<typeof kept>) => {
            const count = list.filter((token) => token.kept).length
            expect(list.slice(0, count).every((token) => token.kept)).toBe(true)
            return count
          }
          expect(size(byLikelihood({ topK }))).toBe(Math.min(topK, logits.length))

          const sorted = byLikelihood({ topK, topP })
          const candidates = sorted.slice(0, topK)
          const total = candidates.reduce((sum, { probability }) => sum + probability, 0)
          const mass = (count: number) =>
            candidates.slice(0, count).reduce((sum, { probability }) => sum + probability, 0) / total
          const count = size(sorted)
          expect(count).toBeGreaterThanOrEqual(1)
          expect(mass(count)).toBeGreaterThan(topP - 1e-9)
          expect(mass(count - 1)).toBeLessThan(topP + 1e-9)
        },
      ),
    )
  })

  test('keeps ties of the last kept token', () => {
    const ofLogits = (truncation: Truncation) => kept([2, 0, 1, 1, 1], truncation).map((token) => Number(token.kept))
    expect(ofLogits({ topK: 2 })).toEqual([1, 0, 1, 1, 1])
    expect(ofLogits({ topK: 1 })).toEqual([1, 0, 0, 0, 0])
    expect(ofLogits({ topP: 0.6 })).toEqual([1, 0, 1, 1, 1])
  })
})

test('greedy choice is the first of the most likely tokens, with its log-probability', () => {
  const [logits, values] = table([[0, 3, 3, 1]])
  const { tokens, logProbs } = chooseTokens(logits, undefined, {})
  const [token, logProb] = evaluate([tokens, logProbs], values)
  expect(token.data[0]).toBe(1)
  expect(logProb.data[0]).toBeCloseTo(3 - Math.log(1 + 2 * Math.exp(3) + Math.exp(1)), 12)
})

const warpers = join(dirname(fileURLToPath(import.meta.url)), '../../../../shared/parity/sampling/warpers.json')

describe.skipIf(!existsSync(warpers))(
  'agrees with the logits processors of transformers (needs ../shared/parity)',
  () => {
    interface Case {
      readonly input: string
      readonly settings: Readonly<Record<string, number>>
      readonly probabilities: number[][]
    }
    const { inputs, cases } = (
      existsSync(warpers) ? JSON.parse(readFileSync(warpers, 'utf8')) : { inputs: {}, cases: [] }
    ) as { inputs: Record<string, number[][]>; cases: Case[] }
    const known = ['temperature', 'top_k', 'top_p']
    const ours = cases.filter(({ settings }) => Object.keys(settings).every((name) => known.includes(name)))

    test.each(ours)('$input $settings', ({ input: name, settings, probabilities }) => {
      const { temperature = 1, top_k: topK, top_p: topP } = settings
      const rows = inputs[name].map((row) => row.map((logit) => logit / temperature))
      const [logits, values] = table(rows)
      const truncation = { ...(topK !== undefined && { topK }), ...(topP !== undefined && { topP }) }
      const { data } = evaluate(truncate(softmax(logits), truncation), values)
      probabilities.forEach((expected, row) => {
        const masses = [...data.slice(row * expected.length, (row + 1) * expected.length)]
        const total = masses.reduce((sum, mass) => sum + mass, 0)
        masses.forEach((mass, token) => expect(mass / total).toBeCloseTo(expected[token], 10))
      })
    })
  },
)
