import type { DatasetType, Example } from '@collimate/core'
import { createTokenizer } from '@collimate/data'
import { describe, expect, test } from 'vitest'
import { checkLaw } from '../check.js'
import { testLaws } from '../declare.js'
import { lawsOfDataset } from './index.js'
import { memorySource, type SourceFaults } from './testing/memory-source.js'

const claims = { split: true, packing: true }
const types: DatasetType[] = ['language-modeling', 'prompt-only', 'prompt-completion', 'preference', 'stepwise']
const suiteOf = (type: DatasetType, faults: SourceFaults = {}) =>
  lawsOfDataset({ name: 'memory', type, claims, create: (rows, held) => memorySource(rows, held, faults) })

for (const type of types) testLaws(suiteOf(type), { test }, { runs: 60 })

const completions = (change: (ids: Int32Array, example: Example) => Int32Array) => (example: Example) => ({
  ...example,
  completions: example.completions.map((ids) => change(ids, example)),
})

const labelled =
  (change: (labels: Int32Array) => Int32Array) =>
  (example: Example): Example => ({ ...example, ...(example.labels && { labels: example.labels.map(change) }) })

const wrong: Record<string, { law: string; type?: DatasetType; faults: SourceFaults }> = {
  'a completion without its end token (pad = EOS taken for padding)': {
    law: 'data/ends-once',
    faults: { example: completions((ids) => ids.slice(0, -1)) },
  },
  'the last token overwritten by the end token': {
    law: 'data/text-survives',
    faults: {
      example: completions((ids) => (ids.length > 1 ? Int32Array.of(...ids.slice(0, -2), ids[ids.length - 1]) : ids)),
    },
  },
  'two end tokens': {
    law: 'data/ends-once',
    faults: { example: completions((ids) => Int32Array.of(...ids, ids[ids.length - 1])) },
  },
  'a mask that leaves out the end token where it pads': {
    law: 'data/mask-covers-the-completion',
    faults: {
      example: (example, { tokenizer }) => {
        const { eosToken, padToken } = createTokenizer(tokenizer)
        const masks = example.completions.map((ids) =>
          ids.map((id) => (id === padToken?.id && id === eosToken?.id ? 0 : 1)),
        )
        return { ...example, masks: masks.map((mask) => Uint8Array.from(mask)) }
      },
    },
  },
  'a mask that depends on the pad token': {
    law: 'data/pad-does-not-matter',
    faults: {
      example: (example, { tokenizer }) => {
        const pad = createTokenizer(tokenizer).padToken?.id
        const masks = example.completions.map((ids) => Uint8Array.from(ids, (id) => (id === pad ? 0 : 1)))
        return { ...example, masks }
      },
    },
  },
  'a prompt that takes a token of the completion': {
    law: 'data/prompt-is-a-prefix',
    type: 'prompt-completion',
    faults: {
      example: (example) => {
        const [ids] = example.completions
        if (ids.length < 2) return example
        return { ...example, prompt: Int32Array.of(...example.prompt, ids[0]), completions: [ids.slice(1)] }
      },
    },
  },
  'a prompt that loses its last token to the completion': {
    law: 'data/prompt-is-a-prefix',
    type: 'prompt-completion',
    faults: {
      example: (example) => ({
        ...example,
        prompt: example.prompt.slice(0, -1),
        completions: example.completions.map((ids) => Int32Array.of(...example.prompt.slice(-1), ...ids)),
      }),
    },
  },
  'two beginning tokens': {
    law: 'data/begins-once',
    faults: {
      example: (example, { tokenizer }) => {
        const { bosToken } = createTokenizer(tokenizer)
        return bosToken ? { ...example, prompt: Int32Array.of(bosToken.id, ...example.prompt) } : example
      },
    },
  },
  'a beginning token that the tokenizer does not have': {
    law: 'data/begins-once',
    faults: {
      example: (example, { tokenizer }) =>
        createTokenizer(tokenizer).bosToken ? example : { ...example, prompt: Int32Array.of(-1, ...example.prompt) },
    },
  },
  'labels at the first tokens of steps': {
    law: 'data/labels-end-their-steps',
    type: 'stepwise',
    faults: { example: labelled((labels) => labels.toReversed()) },
  },
  'labels of wrong steps that are right': {
    law: 'data/labels-end-their-steps',
    type: 'stepwise',
    faults: { example: labelled((labels) => labels.map((label) => Math.min(1, label === 0 ? 1 : label))) },
  },
  'a label for every token': {
    law: 'data/labels-end-their-steps',
    type: 'stepwise',
    faults: {
      example: labelled((labels) => labels.map((label, at) => labels.slice(at).find((one) => one >= 0) ?? label)),
    },
  },
  'steps that run into each other': {
    law: 'data/text-survives',
    type: 'stepwise',
    faults: { request: (one) => ({ ...one, stepSeparator: ' ' }) },
  },
  'identical pairs that stay': {
    law: 'data/identical-pairs-are-dropped',
    faults: {
      rows: (rows) =>
        rows.map((row) => (row.chosen === row.rejected ? { ...row, chosen: `${String(row.chosen)} ` } : row)),
    },
  },
  'dropped rows that nobody counts': { law: 'data/identical-pairs-are-dropped', faults: { dropped: () => ({}) } },
  'a maximal length that is ignored': {
    law: 'data/lengths',
    faults: { request: (one) => ({ ...one, maxLength: null }) },
  },
  'a maximal length of the completion alone': {
    law: 'data/lengths',
    faults: { request: (one) => ({ ...one, maxLength: one.maxLength === null ? null : one.maxLength + 3 }) },
  },
  'the other end kept': {
    law: 'data/lengths',
    faults: { request: (one) => ({ ...one, truncation: one.truncation === 'keep_end' ? 'keep_start' : 'keep_end' }) },
  },
  'examples sorted by index': {
    law: 'data/read-in-order',
    faults: { read: (examples, indices) => indices.toSorted((a, b) => a - b).map((i) => examples[i]) },
  },
  'examples given once each': {
    law: 'data/read-in-order',
    faults: { read: (examples, indices) => [...new Set(indices)].map((i) => examples[i]) },
  },
  'a fingerprint of nothing': { law: 'data/fingerprint', faults: { fingerprint: () => 'same' } },
  'a fingerprint of the seed too': {
    law: 'data/fingerprint',
    faults: { fingerprint: (hash, { seed }) => `${hash} ${seed}` },
  },
  'held-out rows that are trained on': { law: 'data/split', faults: { overlap: true } },
  'always the first rows held out': {
    law: 'data/split',
    faults: { held: (_, held) => Array.from({ length: held }, (_, i) => i) },
  },
  'rows held out by their length': {
    law: 'data/split',
    faults: {
      held: (length, held, { seed, maxLength }) =>
        Array.from({ length: held }, (_, i) => (i + seed + (maxLength ?? 0)) % length),
    },
  },
  'packs that are too long': {
    law: 'data/packing',
    type: 'prompt-completion',
    faults: { request: (one) => ({ ...one, maxLength: one.packing ? (one.maxLength ?? 0) * 2 : one.maxLength }) },
  },
  'packs whose prompts are trained on': {
    law: 'data/packing',
    type: 'prompt-completion',
    faults: { example: ({ masks: _, ...example }) => example },
  },
  'a bad row that becomes text': {
    law: 'data/bad-rows-are-named',
    faults: {
      rows: (rows) => rows.map((row) => ({ ...row, chosen: String(row.chosen), rejected: String(row.rejected ?? '') })),
    },
  },
  'examples beyond the end that are undefined': {
    law: 'data/outside-is-refused',
    faults: { read: (examples, indices) => indices.map((i) => examples[i]) },
  },
  'examples that can be read after the end': { law: 'data/outside-is-refused', faults: { afterClose: true } },
}

describe('wrong sources and the law that finds each', () => {
  test.each(Object.entries(wrong))('%s', async (_, { law: name, type = 'preference', faults }) => {
    const suite = suiteOf(type, faults)
    const law = suite.laws.find((one) => one.name === name)!
    const { message } = await checkLaw(law, { runs: 200, seed: 11 })
    expect(message).toContain('replay          seed 11')
    expect(message).not.toContain('TypeError')
  })
})

test('what a source does not claim is declared unsupported', () => {
  const suite = lawsOfDataset({ name: 'memory', type: 'preference', create: memorySource })
  expect(suite.unsupported.map(({ capability }) => capability)).toEqual(['split', 'packing'])
})
