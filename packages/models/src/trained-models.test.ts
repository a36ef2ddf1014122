import { input, interpret, matmul, program } from '@collimate/graph'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadModel } from './files/load-model.js'
import type { ModelFiles } from './files/model-files.js'
import { forestAttention } from './programs/attention.js'
import { weightInputs } from './programs/parameters.js'
import { float64, relativeError, sharedFolder } from './testing/parity.js'

/** Logits of sequences of one length, [B, S, V] flat. */
function logits(
  { architecture, config, weights }: ModelFiles,
  sequences: readonly (readonly number[])[],
): Float64Array {
  const shape = [sequences.length, sequences[0].length]
  const segments = input('segments', shape, 'int')
  const states = weightInputs(architecture.parameters(config))
  const hidden = architecture.trunk(config, states, {
    tokens: input('tokens', shape, 'int'),
    positions: input('positions', shape, 'int'),
    attention: forestAttention(config, { segments, prompts: segments }),
    positionLimit: shape[1],
  })
  const built = program({
    name: 'logits',
    outputs: { logits: matmul(hidden, architecture.head(config, states), { transposeB: true }) },
  })
  const feeds = {
    tokens: Int32Array.from(sequences.flat()),
    positions: Int32Array.from(sequences.flatMap((ids) => [...ids.keys()])),
    segments: new Int32Array(sequences.flat().length),
  }
  return interpret(built, { feeds, states: float64(weights) }).outputs['logits'].data as Float64Array
}

function logProbsOf(files: ModelFiles, ids: readonly number[]): number[] {
  const { vocabularySize: width } = files.config
  const all = logits(files, [ids])
  return ids.slice(1).map((target, i) => {
    const row = all.subarray(i * width, (i + 1) * width)
    const most = Math.max(...row)
    return row[target] - most - Math.log(row.reduce((total, value) => total + Math.exp(value - most), 0))
  })
}

function argmax(values: ArrayLike<number>): number {
  return Array.from(values).reduce((best, value, i) => (value > values[best] ? i : best), 0)
}

const stories = sharedFolder('data/stories260k')
describe.skipIf(!stories)('stories260k (needs ../shared/data)', () => {
  interface Expected {
    readonly greedy: { prompt_ids: number[]; greedy_ids: number[] }[]
    readonly sequences: { ids: number[]; logprobs: number[] }[]
    readonly logits: { ids: number[]; last_position_logits: number[] }
  }
  const readExpected = () => JSON.parse(readFileSync(join(stories ?? '', 'expected.json'), 'utf8')) as Expected
  const load = () => loadModel(join(stories ?? '', 'hf'))

  test('log-probabilities and logits to the six digits given', async () => {
    const files = await load()
    const expected = readExpected()
    for (const { ids, logprobs } of expected.sequences) {
      expect(relativeError(logProbsOf(files, ids), logprobs)).toBeLessThan(1e-6)
    }
    const last = logits(files, [expected.logits.ids]).slice(-files.config.vocabularySize)
    expect(relativeError(last, expected.logits.last_position_logits)).toBeLessThan(1e-6)
  })

  test('every token of the greedy continuations is the most likely one', async () => {
    const files = await load()
    const expected = readExpected()
    const { vocabularySize: width } = files.config
    for (const { prompt_ids, greedy_ids } of expected.greedy) {
      const all = logits(files, [[...prompt_ids, ...greedy_ids]])
      const from = prompt_ids.length - 1
      const chosen = greedy_ids.map((_, i) => argmax(all.subarray((from + i) * width, (from + i + 1) * width)))
      expect(chosen).toEqual(greedy_ids)
    }
  })
})

const sort = sharedFolder('data/gpt-nano-sort')
describe.skipIf(!sort)('gpt-nano-sort (needs ../shared/data)', () => {
  test('logits of its author, untied head', async () => {
    const files = await loadModel(join(sort ?? '', 'hf'))
    const partials = JSON.parse(readFileSync(join(sort ?? '', 'partials.json'), 'utf8')) as Record<
      string,
      { data: string }
    >
    const floats = (name: string) => [
      ...new Float32Array(Uint8Array.from(Buffer.from(partials[name].data, 'base64')).buffer),
    ]
    const ids = floats('idx')
    const rows = [0, 1, 2].map((row) => ids.slice(row * 11, (row + 1) * 11))
    expect(relativeError(logits(files, rows), floats('lm_head'))).toBeLessThan(5e-6)
  })

  test('sorts', async () => {
    const files = await loadModel(join(sort ?? '', 'hf'))
    const ids = [2, 0, 1, 2, 1, 0]
    while (ids.length < 11) ids.push(argmax(logits(files, [ids]).slice(-3)))
    ids.push(argmax(logits(files, [ids]).slice(-3)))
    expect(ids.slice(6)).toEqual([0, 0, 1, 1, 2, 2])
  })
})

const tiny = sharedFolder('data/tinystories-656k')
describe.skipIf(!tiny)('tinystories-656k (needs ../shared/data)', () => {
  // "Once upon a time, there was a little girl named Lily.", and what transformers 5.23 says in float64.
  const prompt = [1, 80, 147, 201, 282, 215, 286, 598, 1662]
  const logProbs = [
    -11.6572057398, -11.52397401, -0.019096969, -0.0120669522, -0.050714898, -0.2347654225, -1.7603636146,
    -1.3620293532,
  ]
  const greedy = [436, 1027, 1376, 1203, 615, 242, 489, 632, 1376, 1307, 119, 163, 1287, 563, 1799, 886, 242, 1855, 965]

  test('656,000 weights, tokens that end and begin', async () => {
    const files = await loadModel(tiny ?? '')
    expect(Object.values(files.weights).reduce((total, { data }) => total + data.length, 0)).toBe(656_000)
    expect(files).toMatchObject({ eosTokens: [2], bosToken: 1 })
    expect(files.tokenizer?.config).toMatchObject({ eos_token: '<|end_story|>' })
  })

  test('log-probabilities and the greedy continuation of transformers', async () => {
    const files = await loadModel(tiny ?? '')
    expect(relativeError(logProbsOf(files, prompt), logProbs)).toBeLessThan(1e-8)
    const { vocabularySize: width } = files.config
    const all = logits(files, [[...prompt, ...greedy]])
    const from = prompt.length - 1
    const chosen = greedy.map((_, i) => argmax(all.subarray((from + i) * width, (from + i + 1) * width)))
    expect(chosen).toEqual(greedy)
  })
})
