import type { ForestBatch } from '@collimate/core'
import { forestBatch, microBatches, sumBySequence } from '@collimate/data'
import { describe, expect, test } from 'vitest'
import { checkSuite } from '../check.js'
import { testLaws } from '../declare.js'
import { type Forests, lawsOfForests } from './forest-suite.js'

testLaws(lawsOfForests(), { test })

const changed = (change: (batch: ForestBatch) => Partial<ForestBatch>): Partial<Forests> => ({
  forestBatch: (examples, options) => {
    const batch = forestBatch(examples, options)
    return { ...batch, ...change(batch) }
  },
})

const wrong: Record<string, { laws: string[]; forests: Partial<Forests> }> = {
  'targets read one place too late': {
    laws: ['data/layouts-score-the-same'],
    forests: changed(({ sources, tokens }) => ({
      sources: sources.map((at) => Math.min(at + 1, tokens.length - 1)),
    })),
  },
  'completions that see each other': {
    laws: ['data/layouts-score-the-same'],
    forests: changed(({ segments }) => ({ segments: segments.map((segment) => Math.min(segment, 0)) })),
  },
  'positions that go on from one completion to the next': {
    laws: ['data/layouts-score-the-same'],
    forests: changed(({ positions, width }) => ({ positions: positions.map((_, at) => at % width) })),
  },
  'token 0 taken for padding': {
    laws: ['data/padding-is-marked', 'data/layouts-score-the-same'],
    forests: changed(({ tokens, segments }) => ({
      segments: segments.map((one, at) => (tokens[at] === 0 ? -1 : one)),
    })),
  },
  'padding that is scored': {
    laws: ['data/padding-is-marked'],
    forests: changed(({ tokenMask }) => ({ tokenMask: tokenMask.map(() => 1) })),
  },
  'padding that is counted': {
    laws: ['data/padding-is-marked'],
    forests: changed(({ tokens }) => ({ tokenCount: tokens.length })),
  },
  'a row for each completion': {
    laws: ['data/rows-of-layouts'],
    forests: { forestBatch: (examples, options) => forestBatch(examples, { ...options, layout: 'separate' }) },
  },
  'a last micro-batch that is left out': {
    laws: ['data/micro-batches-divide'],
    forests: {
      microBatches: (examples, options) => {
        const { batches, order } = microBatches(examples, options)
        const most = Math.floor(examples.length / options.microBatchSize)
        return { batches: batches.slice(0, most), order: order.slice(0, most) }
      },
    },
  },
  'inputs in the order of the list, though micro-batches are sorted': {
    laws: ['data/inputs-follow-their-units'],
    forests: {
      microBatches: (examples, options) => {
        const { batches, order } = microBatches(examples, options)
        const { inputs = {}, ...rest } = options
        if (!inputs.sequence) return { batches, order }
        let next = 0
        const found = batches.map((batch, number) => {
          const given = order[number].map((position) => examples[position])
          const made = forestBatch(given, {
            ...rest,
            inputs: {
              ...inputs,
              sequence: { unit: 'sequences', values: ({ completions }) => completions.map(() => next++) },
            },
          })
          return { ...batch, inputs: made.inputs }
        })
        return { batches: found, order }
      },
    },
  },
  'sums that multiply by the mask': {
    laws: ['data/sums-leave-padding-out'],
    forests: {
      sumBySequence: (batch, perToken) => {
        const sums = new Float64Array(batch.sequenceCount)
        batch.sequences.forEach((sequence, token) => (sums[sequence] += batch.tokenMask[token] * perToken[token]))
        return sums
      },
    },
  },
  'sums in single precision of one sequence too few': {
    laws: ['data/sums-leave-padding-out'],
    forests: { sumBySequence: (batch, perToken) => sumBySequence(batch, perToken).slice(1) },
  },
}

describe('wrong layouts and the laws that find each', () => {
  test.each(Object.entries(wrong))('%s', async (_, { laws, forests }) => {
    const results = await checkSuite(lawsOfForests(forests), { seed: 3 })
    const failed = results.flatMap(({ law, status }) => (status === 'fails' ? [law.name] : []))
    expect(failed).toEqual(expect.arrayContaining(laws))
  })
})
