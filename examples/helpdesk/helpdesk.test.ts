import { fraction, stream } from '@collimate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { goldParts, goldScore } from './gold.js'
import { drawAnswer, drawManner, drawQuestion, promptOf } from './grammar.js'
import type { Manner, Random } from './grammar.js'
import { demonstration, preference, preferenceProbability } from './rows.js'
import { courteousClosers, fillers, rudeClosers, slots, topics } from './topics.js'

const random = (seed: number): Random => {
  let index = 0
  return () => fraction(seed, stream('corpus'), index++)
}
const seeds = fc.integer({ min: 0, max: 2 ** 31 })
const rows = fc.integer({ min: 0, max: 2 ** 20 })
const plain: Manner = { courtesy: 'plain', relevance: 'exact', length: 'ideal' }

describe('grammar', () => {
  test('equal seeds speak equal texts, and other rows other texts', () => {
    fc.assert(
      fc.property(seeds, rows, (seed, row) => {
        expect(demonstration(seed, row)).toEqual(demonstration(seed, row))
        expect(preference(seed, row, 1)).toEqual(preference(seed, row, 1))
      }),
    )
    const texts = new Set(Array.from({ length: 200 }, (_, row) => JSON.stringify(demonstration(1, row))))
    expect(texts.size).toBeGreaterThan(195)
    expect(demonstration(1, 5)).not.toEqual(demonstration(1, 5, 'evaluation'))
  })

  test('a question tells its topic and its slot, and only those', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const question = drawQuestion(random(seed))
        expect(topics.filter(({ cue }) => cue.test(question.text))).toEqual([question.topic])
        expect(question.text.match(slots[question.topic.slot].pattern)).toEqual([question.slot])
      }),
    )
  })

  test('an answer on the topic holds the keyword of its topic and of no other', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom('exact', 'vague', 'mistaken'), (seed, relevance) => {
        const draw = random(seed)
        const question = drawQuestion(draw)
        const answer = drawAnswer(question, { ...plain, relevance }, draw)
        expect(topics.filter(({ keyword }) => keyword.test(answer))).toEqual([question.topic])
      }),
    )
  })
})

describe('gold score', () => {
  const scored = (seed: number, manner: Manner): number => {
    const draw = random(seed)
    const question = drawQuestion(draw)
    return goldScore(promptOf(question), drawAnswer(question, manner, draw))
  }

  test('courtesy raises it: a courteous closing beats none, none beats a rude one, whatever was said before', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(...courteousClosers), fc.constantFrom(...rudeClosers), (seed, kind, rude) => {
        const draw = random(seed)
        const question = drawQuestion(draw)
        const answer = drawAnswer(question, plain, draw)
        const score = (text: string): number => goldScore(promptOf(question), text)
        expect(score(`${answer} ${kind}`)).toBeGreaterThan(score(answer))
        expect(score(answer)).toBeGreaterThan(score(`${answer} ${rude}`))
      }),
    )
  })

  test('relevance raises it: exact > vague > unrelated, exact > mistaken', () => {
    const mean = (relevance: Manner['relevance']): number => {
      const scores = Array.from({ length: 100 }, (_, seed) => scored(seed, { ...plain, relevance }))
      return scores.reduce((a, b) => a + b) / scores.length
    }
    expect(mean('exact')).toBeGreaterThan(mean('vague') + 1)
    expect(mean('vague')).toBeGreaterThan(mean('unrelated') + 1)
    expect(mean('exact')).toBeGreaterThan(mean('mistaken') + 1)
  })

  test('rambling, repetition and a missing end cost something', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const draw = random(seed)
        const question = drawQuestion(draw)
        const body = drawAnswer(question, plain, draw)
        const answer = `${body} ${courteousClosers[0]} ${fillers[0]}`
        const parts = (text: string) => goldParts(promptOf(question), text)
        expect(parts(`${answer} ${fillers.join(' ')}`).length).toBeLessThan(parts(answer).length)
        expect(parts(`${answer} ${answer}`).repetition).toBeLessThan(-1)
        expect(parts(answer).repetition).toBeCloseTo(0)
        expect(parts(answer.slice(0, -1)).ending).toBe(-1)
        expect(parts(answer).ending).toBe(0)
      }),
    )
  })

  test('is finite and bounded for any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (prompt, answer) => {
        const score = goldScore(prompt, answer)
        expect(score).toBeGreaterThanOrEqual(-10.5)
        expect(score).toBeLessThanOrEqual(5)
      }),
    )
  })
})

describe('preferences', () => {
  test('two answers exclude each other: P(a > b) + P(b > a) = 1, and an added constant changes nothing', () => {
    const score = fc.double({ min: -10, max: 10, noNaN: true })
    fc.assert(
      fc.property(score, score, score, fc.double({ min: 0.1, max: 10, noNaN: true }), (a, b, c, temperature) => {
        const probability = preferenceProbability(a, b, temperature)
        expect(probability + preferenceProbability(b, a, temperature)).toBeCloseTo(1, 12)
        expect(preferenceProbability(a + c, b + c, temperature)).toBeCloseTo(probability, 9)
      }),
    )
  })

  test('labels follow Bradley-Terry in their frequencies', () => {
    // Per temperature: the chosen answer's probability, summed over pairs, is what the labels must show: the count of
    // pairs whose better answer was chosen has the mean Σ max(P, 1 − P) and the variance Σ P (1 − P).
    for (const temperature of [0.5, 1, 2, 5]) {
      let better = 0
      let mean = 0
      let variance = 0
      for (let row = 0; row < 2000; row++) {
        const { prompt, chosen, rejected } = preference(7, row, temperature)
        const p = preferenceProbability(goldScore(prompt, chosen), goldScore(prompt, rejected), temperature)
        better += p === 0.5 ? 0.5 : Number(p > 0.5)
        mean += Math.max(p, 1 - p)
        variance += p * (1 - p)
      }
      expect(Math.abs(better - mean) / Math.sqrt(variance)).toBeLessThan(4)
    }
  })

  test('the mix of manners is as declared', () => {
    const draw = random(3)
    const manners = Array.from({ length: 4000 }, () => drawManner(draw))
    const share = (test: (manner: Manner) => boolean): number => manners.filter(test).length / manners.length
    expect(share(({ relevance }) => relevance === 'exact')).toBeCloseTo(0.5, 1)
    expect(share(({ courtesy }) => courtesy === 'rude')).toBeCloseTo(0.2, 1)
    expect(share(({ length }) => length === 'ideal')).toBeCloseTo(0.65, 1)
  })
})
