import type { Backend, Generation, Policy, Sampling } from '@collimate/core'
import { createModel } from '@collimate/models'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { backends, policyOf, relativeError, smallConfigs, smallModel } from './support/policies.js'

// Continuous batching: completions leave when they end, and prompts that wait take their places.

type Completions = Pick<Generation, 'completions' | 'logProbs' | 'endedBy'>

const ids = ({ completions }: Completions): number[][] => completions.map((completion) => [...completion])

/** Each prompt in a request of its own. */
async function oneByOne(policy: Policy, prompts: readonly Int32Array[], sampling: Sampling): Promise<Completions> {
  const alone: Generation[] = []
  for (const [index, prompt] of prompts.entries())
    alone.push(await policy.generate({ prompts: [prompt], streams: [index], sampling, batchSize: 1 }))
  return {
    completions: alone.flatMap(({ completions }) => completions),
    logProbs: alone.flatMap(({ logProbs }) => logProbs),
    endedBy: alone.flatMap(({ endedBy }) => endedBy),
  }
}

/** The runs of a backend from now on, by the name of their program. */
function watch(backend: Backend) {
  const names = new Map<string, string>()
  const shapes: string[] = []
  const compile = backend.compile.bind(backend)
  const run = backend.run.bind(backend)
  const runs: string[] = []
  vi.spyOn(backend, 'compile').mockImplementation(async (request) => {
    const id = await compile(request)
    names.set(id, request.program.name)
    const tokens = request.program.inputs.find(({ name }) => name === 'tokens')
    shapes.push(`${request.program.name} ${tokens?.shape.join('x') ?? ''}`.trim())
    return id
  })
  vi.spyOn(backend, 'run').mockImplementation((request) => {
    runs.push(names.get(request.executable) ?? 'unknown')
    return run(request)
  })
  return { shapes, count: (name: string) => runs.filter((other) => other === name).length }
}

const uneven = fc.record({
  prompts: fc.array(
    fc
      .oneof(
        { weight: 3, arbitrary: fc.array(fc.integer({ min: 3, max: 22 }), { minLength: 1, maxLength: 9 }) },
        { weight: 1, arbitrary: fc.array(fc.integer({ min: 3, max: 22 }), { minLength: 20, maxLength: 39 }) },
      )
      .map((list) => Int32Array.from(list)),
    { minLength: 1, maxLength: 10 },
  ),
  batchSize: fc.integer({ min: 1, max: 4 }),
  maxNewTokens: fc.integer({ min: 1, max: 39 }),
  temperature: fc.constantFrom(0, 0.7, 1, 1.6),
  stopTokens: fc.uniqueArray(fc.integer({ min: 0, max: 22 }), { maxLength: 4 }),
  seed: fc.nat(1000),
})

describe.each(backends)('continuous batching on $name', ({ create, tolerance }) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await create()
  })
  afterAll(() => backend.close())
  afterEach(() => vi.restoreAllMocks())

  test.each(['llama', 'gpt2'] as const)('%s completes prompts through few rows as one at a time', async (name) => {
    const policy = await policyOf(backend, smallModel(name))
    await fc.assert(
      fc.asyncProperty(uneven, async ({ prompts, batchSize, ...sampling }) => {
        const together = await policy.generate({ prompts, sampling, batchSize })
        const alone = await oneByOne(policy, prompts, sampling)
        expect(ids(together)).toEqual(ids(alone))
        expect(together.endedBy).toEqual(alone.endedBy)
        const logProbs = ({ logProbs: values }: Completions) => values.flatMap((row) => [...row])
        expect(relativeError(logProbs(together), logProbs(alone))).toBeLessThan(Math.max(tolerance, 1e-6))
      }),
      { numRuns: 6 },
    )
    await policy.close()
  })

  test('prompts of any length in any context, to its last token', async () => {
    // 30 is no size that programs are rounded to.
    const config = { ...smallConfigs.gpt2, n_positions: 30 }
    const policy = await policyOf(backend, createModel({ config, seed: 2 }))
    const prompts = [29, 1, 28, 3, 25, 27, 2].map((length) => new Int32Array(length).fill(5))
    const sampling = { maxNewTokens: 30, temperature: 1, seed: 1, stopTokens: [] }
    const together = await policy.generate({ prompts, sampling, batchSize: 2 })
    expect(together.completions.map(({ length }) => length)).toEqual([1, 29, 2, 27, 5, 3, 28])
    expect(together.endedBy).toEqual(prompts.map(() => 'length'))
    expect(ids(together)).toEqual(ids(await oneByOne(policy, prompts, sampling)))
    await policy.close()
  })

  describe('of a model with a long context', () => {
    const config = { ...smallConfigs.llama, max_position_embeddings: 400, num_hidden_layers: 1, initializer_range: 0.3 }
    let policy: Policy
    beforeEach(async () => {
      policy = await policyOf(backend, createModel({ config, seed: 3 }))
    })
    afterEach(() => policy.close())

    test('takes fewer steps than batch after batch', async () => {
      const prompts = Array.from({ length: 48 }, (_, index) => Int32Array.of(3 + (index % 20), index % 7))
      const sampling = { maxNewTokens: 100, temperature: 1, seed: 4, stopTokens: [3, 4] }
      const { count } = watch(backend)
      const { completions } = await policy.generate({ prompts, sampling, batchSize: 4 })
      const lengths = completions.map(({ length }) => length)
      const batches = Array.from({ length: 12 }, (_, at) => lengths.slice(4 * at, 4 * at + 4))
      const inBatches = batches.reduce((steps, batch) => steps + Math.max(...batch) - 1, 0)
      expect(count('decode step')).toBeGreaterThanOrEqual(lengths.reduce((sum, length) => sum + length - 1, 0) / 4)
      expect(count('decode step')).toBeLessThan(0.75 * inBatches)
    })

    test('goes round in its cache, and reads few long rows again at the end', async () => {
      const prompts = Array.from({ length: 24 }, (_, index) => Int32Array.of(3 + (index % 20), index % 7))
      const sampling = { maxNewTokens: 200, temperature: 0.5, seed: 5, stopTokens: [8] }
      const { shapes, count } = watch(backend)
      const together = await policy.generate({ prompts, sampling, batchSize: 4 })
      const lengths = together.completions.map(({ length }) => length)
      expect(lengths.filter((length) => length > 160).length).toBe(3)
      // More steps than columns; a prompt that is longer than any that was given.
      expect(count('decode step')).toBeGreaterThan(200)
      expect(shapes.some((shape) => /^enter \d+x1[6-9]\d$/.test(shape))).toBe(true)
      expect(ids(together)).toEqual(ids(await oneByOne(policy, prompts, sampling)))
    })

    test('moves into a larger cache while others wait, where most rows are long', async () => {
      const prompts = Array.from({ length: 5 }, (_, index) => Int32Array.of(3 + index))
      const sampling = { maxNewTokens: 220, temperature: 1, seed: 6, stopTokens: [] }
      const { count } = watch(backend)
      const together = await policy.generate({ prompts, sampling, batchSize: 2 })
      expect(count('move cache')).toBeGreaterThan(0)
      expect(ids(together)).toEqual(ids(await oneByOne(policy, prompts, sampling)))
    })
  })

  test('every completion may end with its first token', async () => {
    const policy = await policyOf(backend, smallModel())
    const prompts = Array.from({ length: 11 }, (_, index) => Int32Array.of(3 + index, 4))
    const stopTokens = Array.from({ length: 23 }, (_, token) => token)
    const { count } = watch(backend)
    const sampling = { maxNewTokens: 9, temperature: 1, seed: 1, stopTokens }
    const { completions, endedBy } = await policy.generate({ prompts, sampling, batchSize: 3 })
    expect(completions.map(({ length }) => length)).toEqual(prompts.map(() => 1))
    expect(endedBy).toEqual(prompts.map(() => 'stop'))
    expect(count('decode step')).toBe(0)
    await policy.close()
  })

  test('the completions of one prompt share its reading', async () => {
    const policy = await policyOf(backend, smallModel())
    const prompts = [3, 4].flatMap((token) => new Array<Int32Array>(8).fill(Int32Array.of(token, 5, 6)))
    const { shapes } = watch(backend)
    const sampling = { maxNewTokens: 5, temperature: 1, seed: 1, stopTokens: [] }
    const together = await policy.generate({ prompts, sampling, batchSize: 16 })
    expect(shapes).toEqual(['enter 2x8', 'decode step 16'])
    expect(ids(together)).toEqual(ids(await oneByOne(policy, prompts, sampling)))
    await policy.close()
  })

  test('what fails in the middle leaves nothing behind', async () => {
    const policy = await policyOf(backend, smallModel())
    const request = {
      prompts: Array.from({ length: 9 }, (_, index) => Int32Array.of(3 + index)),
      sampling: { maxNewTokens: 12, temperature: 1, seed: 1, stopTokens: [4, 5, 6] },
      batchSize: 2,
    }
    const expected = await policy.generate(request)
    const { states } = await backend.usage()
    const run = backend.run.bind(backend)
    let runs = 0
    vi.spyOn(backend, 'run').mockImplementation((given) => {
      if (++runs === 7) return Promise.reject(new Error('no more'))
      return run(given)
    })
    await expect(policy.generate(request)).rejects.toThrow('no more')
    expect((await backend.usage()).states).toBe(states)
    vi.restoreAllMocks()
    expect(ids(await policy.generate(request))).toEqual(ids(expected))
    await policy.close()
  })
})
