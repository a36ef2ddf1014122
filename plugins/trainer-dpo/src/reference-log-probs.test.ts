import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, Example, TrainerContext } from '@collimate/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readCache, writeCache } from './cache-file.js'
import { referenceLogProbs } from './reference-log-probs.js'
import { contextOf, fakeModel, pairsOf } from './testing.js'

let cacheFolder: string
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'collimate-cache-'))
})
afterEach(() => rm(cacheFolder, { recursive: true, force: true }))

const cacheFile = async () => join(cacheFolder, (await readdir(cacheFolder))[0])

/** What the model gives for each pair, without batches. */
const live = (pairs: readonly Example[], { logProbOf }: ReturnType<typeof fakeModel>) =>
  pairs.map(({ prompt, completions }) =>
    Float64Array.from(completions.flatMap((ids) => Array.from(ids, (id, k) => logProbOf(id, prompt.length + k - 1)))),
  )

function open(
  pairs: readonly Example[],
  model: ReturnType<typeof fakeModel>,
  parts: Partial<TrainerContext> & { backend?: Backend } = {},
) {
  const { backend, ...rest } = parts
  const context = contextOf(pairs, { policy: model.policy, cacheFolder, ...rest })
  const warnings: string[] = []
  context.bus.on('warning.raised', ({ code }) => warnings.push(code))
  const store = referenceLogProbs({ ...context, reference: model.reference }, { backend, microBatchSize: 2 })
  return { ...store, warnings, bus: context.bus }
}

describe('cached equals live', () => {
  it('in any order, any batch and any repetition', async () => {
    const pairs = pairsOf(11)
    const model = fakeModel(0.3)
    const { of } = open(pairs, model)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(10), { minLength: 1, maxLength: 20 }), async (indices) => {
        const asked = indices.map((index) => pairs[index])
        expect(await of(asked)).toEqual(live(asked, model))
      }),
      { numRuns: 30 },
    )
    // Eleven pairs, each computed once, at most one batch for each.
    expect(model.calls.logProbs).toBeLessThanOrEqual(11)
  })

  it('across runs, without asking the reference again', async () => {
    const pairs = pairsOf(11)
    const model = fakeModel(0.3)
    await open(pairs, model).prepare('train')
    expect(model.calls.logProbs).toBe(6)
    const again = open(pairs, model)
    await again.prepare('train')
    await again.prepare('train')
    expect(await again.of([...pairs].reverse())).toEqual(live([...pairs].reverse(), model))
    expect(model.calls.logProbs).toBe(6)
    expect(again.warnings).toEqual([])
  })

  it('of a file, whatever the precision and the lengths', async () => {
    const values = fc.oneof(
      fc.array(fc.float32Array({ noNaN: true })),
      fc.array(fc.float64Array({ noNaN: true }), { minLength: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(values, async (arrays) => {
        const pairs = new Map(arrays.map((array, index) => [`pair ${index}`, array] as const))
        await writeCache(join(cacheFolder, 'deep', 'file'), 'key', pairs)
        expect(await readCache(join(cacheFolder, 'deep', 'file'), 'key')).toEqual(pairs)
        expect(await readdir(join(cacheFolder, 'deep'))).toEqual(['file'])
      }),
      { numRuns: 30 },
    )
  })
})

describe('a cache of something else is not used', () => {
  const pairs = pairsOf(5)
  it.each<[string, Partial<TrainerContext> & { backend?: Backend }, ReturnType<typeof fakeModel>]>([
    ['other weights', {}, fakeModel(0.7)],
    [
      'other rows',
      {
        data: {
          ...contextOf(pairs, { policy: fakeModel(1).policy, cacheFolder: '' }).data,
          trainFingerprint: 'others',
        },
      },
      fakeModel(0.3),
    ],
    [
      'another precision',
      {
        backend: {
          capabilities: async () => ({ backend: 'x', device: 'cpu', precision: 'float16' }),
        } as unknown as Backend,
      },
      fakeModel(0.3),
    ],
  ])('%s', async (_, parts, model) => {
    await open(pairs, fakeModel(0.3)).prepare('train')
    const other = open(pairs, model, parts)
    await other.prepare('train')
    expect(model.calls.logProbs).toBe(3)
    expect(await other.of(pairs)).toEqual(live(pairs, model))
    expect(other.warnings).toEqual([])
  })

  it('rows that changed under the same fingerprint are computed, not looked up', async () => {
    const model = fakeModel(0.3)
    await open(pairs, model).prepare('train')
    const changed = pairs.map((pair) => ({ ...pair, prompt: Int32Array.of(9, ...pair.prompt) }))
    const store = open(changed, model)
    await store.prepare('train')
    expect(await store.of(changed)).toEqual(live(changed, model))
  })
})

describe('a damaged cache is computed again and replaced', () => {
  const damages: Record<string, (file: string) => Promise<unknown>> = {
    'cut short': (file) => truncate(file, 300),
    empty: (file) => truncate(file, 0),
    'no header': (file) => writeFile(file, 'nonsense'),
    'one bit of a value': async (file) => {
      const content = await readFile(file)
      content[content.length - 3] ^= 1
      await writeFile(file, content)
    },
    'another key in the header': async (file) => {
      const content = await readFile(file, 'latin1')
      await writeFile(file, content.replace(/"key":"./, '"key":"_'), 'latin1')
    },
  }
  it.each(Object.keys(damages))('%s', async (damage) => {
    const pairs = pairsOf(5)
    const model = fakeModel(0.3)
    await open(pairs, model).prepare('train')
    await damages[damage](await cacheFile())
    const second = open(pairs, model)
    await second.prepare('train')
    expect(second.warnings).toEqual(['COLLIMATE_CACHE_UNUSABLE'])
    expect(await second.of(pairs)).toEqual(live(pairs, model))
    expect(model.calls.logProbs).toBe(6)
    const third = open(pairs, model)
    await third.prepare('train')
    expect(model.calls.logProbs).toBe(6)
    expect(third.warnings).toEqual([])
  })
})

it('a folder that cannot be written to costs the cache, not the run', async () => {
  await mkdir(join(cacheFolder, 'taken'))
  await writeFile(join(cacheFolder, 'taken', 'file'), '')
  const pairs = pairsOf(3)
  const model = fakeModel(0.3)
  const store = open(pairs, model, { cacheFolder: join(cacheFolder, 'taken', 'file') })
  await store.prepare('train')
  expect(store.warnings).toContain('COLLIMATE_CACHE_UNWRITABLE')
  expect(await store.of(pairs)).toEqual(live(pairs, model))
})

it('tells its progress and ends when the user wants to stop, leaving no file', async () => {
  const controller = new AbortController()
  const store = open(pairsOf(40), fakeModel(0.3), { signal: controller.signal })
  const done: number[] = []
  store.bus.on('progress.made', (progress) => {
    done.push(progress.done)
    if (progress.done >= 32) controller.abort()
  })
  await expect(store.prepare('train')).rejects.toThrow()
  expect(done).toEqual([16, 32])
  expect(await readdir(cacheFolder)).toEqual([])
})

describe('log-probs that the data brings', () => {
  it('are used by their sums, without asking the reference', async () => {
    const pairs = pairsOf(4, (index) => ({ ref_chosen_logps: -index, ref_rejected_logps: -20 - index }))
    const model = fakeModel(0.3)
    const store = open(pairs, model)
    await store.prepare('train')
    const values = await store.of(pairs)
    pairs.forEach(({ completions: [chosen, rejected] }, index) => {
      const sum = (part: ArrayLike<number>) => Array.from(part).reduce((a, b) => a + b, 0)
      expect(values[index].length).toBe(chosen.length + rejected.length)
      expect(sum(values[index].subarray(0, chosen.length))).toBeCloseTo(-index, 12)
      expect(sum(values[index].subarray(chosen.length))).toBeCloseTo(-20 - index, 12)
    })
    expect(model.calls.logProbs).toBe(0)
    expect(await readdir(cacheFolder)).toEqual([])
  })

  it.each([
    { ref_chosen_logps: -1 },
    { ref_chosen_logps: -1, ref_rejected_logps: 'x' },
    { ref_chosen_logps: NaN, ref_rejected_logps: 0 },
  ])('are refused where they are not two finite numbers: %o', async (columns) => {
    await expect(open([], fakeModel(1)).of(pairsOf(1, () => columns))).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_DATA_FIELD_INVALID' }),
    )
  })
})
