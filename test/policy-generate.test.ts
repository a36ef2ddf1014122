import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend, Example, GenerateRequest, Generation, Policy, Sampling, UpdateRequest } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { createModel, loadModel } from '@collimate/models'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  backends,
  nextTokenUse,
  parityModel,
  policyOf,
  relativeError,
  shared,
  smallConfigs,
  smallModel,
} from './support/policies.js'

const greedy = (maxNewTokens: number, stopTokens?: readonly number[]): Sampling => ({
  maxNewTokens,
  temperature: 0,
  seed: 0,
  ...(stopTokens && { stopTokens }),
})

const ids = (completions: Generation['completions']) => completions.map((completion) => [...completion])

/** Prompts with their sampled completions as rows that score every sampled token. */
function scored(prompts: readonly Int32Array[], { completions }: Generation) {
  const examples = prompts.map((prompt, index): Example => ({
    index,
    prompt,
    completions: [completions[index]],
    text: { prompt: '', completions: [''] },
    columns: {},
  }))
  return forestBatch(examples, { bucket: false })
}

const prompt = fc
  .array(fc.integer({ min: 3, max: 22 }), { minLength: 1, maxLength: 20 })
  .map((list) => Int32Array.from(list))
const prompts = fc.array(prompt, { minLength: 1, maxLength: 6 })
const temperature = fc.double({ min: 0.3, max: 3, noNaN: true })

describe.each(backends)('generate on $name', ({ create, tolerance }) => {
  let backend: Backend
  let policy: Policy
  beforeAll(async () => {
    backend = await create()
    policy = await policyOf(backend, smallModel())
  })
  afterAll(() => backend.close())

  test.each(['gpt2', 'llama', 'llama-rope3'])('greedy tokens of %s agree with transformers', async (model) => {
    const folder = parityModel(model)
    const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, number[][]>
    const loaded = await policyOf(backend, await loadModel(folder))
    const rows = expected['rows'].map((row) => Int32Array.from(row))
    for (const batchSize of [1, 3]) {
      const { completions, endedBy } = await loaded.generate({ prompts: rows, sampling: greedy(12, []), batchSize })
      expect(ids(completions)).toEqual(expected['greedy_12'])
      expect(endedBy).toEqual(['length', 'length', 'length'])
    }
    await loaded.close()
  })

  test('greedy tokens are the most likely ones of the full forward pass', async () => {
    const given = [[5], [9, 4, 17, 3, 3, 8, 11, 20, 12], [6, 7]].map((list) => Int32Array.from(list))
    const generation = await policy.generate({ prompts: given, sampling: greedy(12, []) })
    const { correct } = await policy.outputs({ batch: scored(given, generation), names: ['correct'] })
    expect([...(correct ?? [])]).toEqual(Array.from({ length: 36 }, () => 1))
  })

  test('log-probs of samples are those of the full forward pass, at any temperature', async () => {
    await fc.assert(
      fc.asyncProperty(prompts, temperature, fc.nat(), async (given, degrees, seed) => {
        const sampling = { maxNewTokens: 9, temperature: degrees, seed }
        const generation = await policy.generate({ prompts: given, sampling })
        const again = await policy.logProbs({ batch: scored(given, generation), temperature: degrees })
        const sampled = generation.logProbs.flatMap((logProbs) => [...logProbs])
        expect(relativeError(sampled, again)).toBeLessThan(Math.max(tolerance, 1e-6))
      }),
      { numRuns: 8 },
    )
  })

  test('a sample depends on weights, prompt, seed and stream alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        prompts,
        temperature,
        fc.nat(),
        fc.integer({ min: 1, max: 8 }),
        async (given, degrees, seed, batchSize) => {
          const sampling = { maxNewTokens: 7, temperature: degrees, topK: 15, topP: 0.97, seed }
          const whole = await policy.generate({ prompts: given, sampling })
          const order = given.map((_, index) => given.length - 1 - index)
          const turned = await policy.generate({
            prompts: order.map((index) => given[index]),
            streams: order,
            sampling,
            batchSize,
          })
          expect(ids(order.map((index) => turned.completions[index]))).toEqual(ids(whole.completions))
          expect(order.map((index) => turned.endedBy[index])).toEqual(whole.endedBy)
        },
      ),
      { numRuns: 8 },
    )
  })

  test('programs with weights built in give the same tokens, and those of the new weights after an update', async () => {
    const given = Array.from({ length: 16 }, (_, index) => Int32Array.of(3 + index, 4))
    const request: GenerateRequest = {
      prompts: given,
      sampling: { maxNewTokens: 20, temperature: 1, seed: 3, stopTokens: [] },
      batchSize: 2,
    }
    const compile = vi.spyOn(backend, 'compile')
    const frozenPrograms = () => compile.mock.calls.filter(([{ frozen = [] }]) => frozen.length > 0).length
    const plain = await policyOf(backend, smallModel(), { freezeDecoding: false })
    const frozen = await policyOf(backend, smallModel(), { freezeDecoding: true })
    for (let round = 0; round < 2; round++) {
      const expected = await plain.generate(request)
      expect(frozenPrograms()).toBe(round)
      const generation = await frozen.generate(request)
      expect(frozenPrograms()).toBe(round + 1)
      expect(ids(generation.completions)).toEqual(ids(expected.completions))
      expect(generation.version).toBe(round)
      const update: UpdateRequest = {
        objective: nextTokenUse,
        batches: [scored(given, generation)],
        optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
        learningRate: 0.05,
        maxGradNorm: 1,
        metrics: false,
      }
      await plain.update(update)
      await frozen.update(update)
    }
    compile.mockRestore()
    await plain.close()
    await frozen.close()
  })

  test('completions end at a stop token, which is theirs, or at the limit', async () => {
    const given = Array.from({ length: 16 }, (_, index) => Int32Array.of(3 + index))
    const stopTokens = [5, 11, 17]
    const sampling = { maxNewTokens: 10, temperature: 1.5, seed: 1, stopTokens }
    const { completions, endedBy, logProbs } = await policy.generate({ prompts: given, sampling })
    completions.forEach((completion, index) => {
      const stop = completion.findIndex((token) => stopTokens.includes(token))
      expect(endedBy[index]).toBe(stop < 0 ? 'length' : 'stop')
      expect(completion.length).toBe(stop < 0 ? 10 : stop + 1)
      expect(logProbs[index].length).toBe(completion.length)
    })
    expect(new Set(endedBy).size).toBe(2)
  })

  test('a completion ends where the context does', async () => {
    const long = new Int32Array(37).fill(4)
    const short = Int32Array.of(4)
    const { completions, endedBy } = await policy.generate({ prompts: [long, short], sampling: greedy(6, []) })
    expect(completions.map(({ length }) => length)).toEqual([3, 6])
    expect(endedBy).toEqual(['length', 'length'])
  })

  test.each<[string, Partial<Sampling>, number[], object]>([
    ['COLLIMATE_PROMPT_EMPTY', {}, [], {}],
    ['COLLIMATE_PROMPT_TOO_LONG', {}, new Array<number>(40).fill(3), {}],
    ['COLLIMATE_TOKEN_UNKNOWN', {}, [23], {}],
    ['COLLIMATE_SAMPLING_INVALID', { temperature: -1 }, [3], {}],
    ['COLLIMATE_SAMPLING_INVALID', { temperature: NaN }, [3], {}],
    ['COLLIMATE_SAMPLING_INVALID', { temperature: 0, topK: 3 }, [3], {}],
    ['COLLIMATE_SAMPLING_INVALID', { topP: 0 }, [3], {}],
    ['COLLIMATE_SAMPLING_INVALID', { topK: 0 }, [3], {}],
    ['COLLIMATE_SAMPLING_INVALID', { maxNewTokens: 0 }, [3], {}],
    ['COLLIMATE_SAMPLING_INVALID', { stopTokens: [23] }, [3], {}],
    ['COLLIMATE_SAMPLING_INVALID', {}, [3], { batchSize: 0 }],
    ['COLLIMATE_SAMPLING_INVALID', {}, [3], { streams: [1, 2] }],
  ])('refuses with %s: %o %o %o', async (code, sampling, tokens, further) => {
    const request = {
      prompts: [Int32Array.from(tokens)],
      sampling: { maxNewTokens: 3, temperature: 1, seed: 0, ...sampling },
      ...further,
    }
    await expect(policy.generate(request)).rejects.toMatchObject({ code })
  })

  test('nothing piles up, and close frees everything', async () => {
    const own = await create()
    const used = await policyOf(own, smallModel())
    const request = {
      prompts: [Int32Array.of(3, 4), Int32Array.of(5)],
      sampling: { maxNewTokens: 20, temperature: 1, seed: 0, stopTokens: [] },
    }
    // After some of them the weights are built into the programs.
    for (let count = 0; count < 8; count++) await used.generate(request)
    const before = await own.usage()
    for (let count = 0; count < 3; count++) await used.generate(request)
    expect(await own.usage()).toEqual(before)
    await used.close()
    expect(await own.usage()).toEqual({ executables: 0, states: 0, bytes: 0 })
    await expect(used.generate(request)).rejects.toMatchObject({ code: 'COLLIMATE_POLICY_CLOSED' })
    await own.close()
  })

  test('a cache that is full grows, and rows that have ended stay behind', async () => {
    const config = { ...smallConfigs.llama, max_position_embeddings: 400, num_hidden_layers: 1 }
    const long = await policyOf(backend, createModel({ config, seed: 3 }))
    const given = [[3, 4, 5], [6], [7, 8, 9, 10, 11, 12, 13, 14, 15], [16, 17], [18]].map((list) =>
      Int32Array.from(list),
    )
    // Some end before the first cache is full, some go on to the limit.
    const sampling = { maxNewTokens: 300, temperature: 0.6, seed: 5, stopTokens: [3] }
    const generation = await long.generate({ prompts: given, sampling })
    const lengths = generation.completions.map(({ length }) => length)
    expect(Math.max(...lengths)).toBeGreaterThan(140)
    expect(Math.min(...lengths)).toBeLessThan(100)
    const again = await long.logProbs({ batch: scored(given, generation), temperature: 0.6 })
    const sampled = generation.logProbs.flatMap((logProbs) => [...logProbs])
    expect(relativeError(sampled, again)).toBeLessThan(Math.max(tolerance, 1e-6))
    await long.close()
  })
})

const stories = shared('data/stories260k')

test.skipIf(stories === undefined)('the greedy stories of stories260k (needs ../shared/data/stories260k)', async () => {
  const backend = await backends[1].create()
  const folder = stories as string
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
    greedy: { prompt_ids: number[]; greedy_ids: number[] }[]
  }
  const policy = await policyOf(backend, await loadModel(join(folder, 'hf')))
  const { completions } = await policy.generate({
    prompts: expected.greedy.map(({ prompt_ids }) => Int32Array.from(prompt_ids)),
    sampling: greedy(64, []),
  })
  expect(ids(completions)).toEqual(expected.greedy.map(({ greedy_ids }) => greedy_ids))
  await backend.close()
})

test('sampled tokens follow the distribution', async () => {
  const [{ create }] = backends
  const backend = await create()
  const policy = await policyOf(backend, smallModel(), { decodeBatchSize: 500 })
  const given = new Array<Int32Array>(4000).fill(Int32Array.of(7, 9))
  const { completions, logProbs } = await policy.generate({
    prompts: given,
    sampling: { maxNewTokens: 1, temperature: 1.3, seed: 11 },
  })
  const counts = new Map<number, { count: number; probability: number }>()
  completions.forEach(([token], index) => {
    const probability = Math.exp(logProbs[index][0])
    counts.set(token, { count: (counts.get(token)?.count ?? 0) + 1, probability })
  })
  for (const { count, probability } of counts.values()) {
    const deviation = Math.sqrt(4000 * probability * (1 - probability))
    expect(Math.abs(count - 4000 * probability)).toBeLessThan(4.5 * deviation + 1)
  }
  await backend.close()
})
