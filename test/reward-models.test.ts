import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AdamWOptions, Backend, Example, ForestBatch, Objective, UpdateRequest } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { add, mul, square, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { createModel, loadModel, type ModelHead } from '@collimate/models'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { backends, parityModel, policyOf, relativeError, smallConfigs } from './support/policies.js'
import { hasTransformers, transformersLogSoftmax, transformersScores } from './support/transformers.js'

if (!hasTransformers)
  console.warn('reward models: not compared with transformers, no Python that has it (COLLIMATE_PYTHON)')

/** 1.0·r0 − 2.0·r1 + 0.5·r2, as a mean over the three sequences. */
const weighted: Objective<Tensor> = {
  name: 'weighted-scores',
  outputs: ['scores'],
  inputs: { weights: 'sequences' },
  coupled: false,
  terms: (t) => [{ perUnit: mul(t.scores, t.inputs.weights!), unit: 'sequences', weight: 3 }],
  metrics: () => ({}),
}

/** Something that reads both heads. */
const actorCritic: Objective<Tensor> = {
  name: 'actor-critic',
  outputs: ['logProbs', 'values', 'scores'],
  inputs: {},
  coupled: false,
  terms: (t) => [
    { perUnit: add(square(sub(t.values, 1)), mul(t.logProbs, -1)), unit: 'tokens' },
    { perUnit: square(t.scores), unit: 'sequences', weight: 0.1 },
  ],
  metrics: (t) => ({ value: { perUnit: t.values, unit: 'tokens' } }),
}
const objectives = { 'weighted-scores': weighted, 'actor-critic': actorCritic }

const adamw: AdamWOptions = { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }
const updateOf = (
  use: keyof typeof objectives,
  batch: ForestBatch,
  more: Partial<UpdateRequest> = {},
): UpdateRequest => ({
  ...{ objective: { use, options: {} }, batches: [batch], optimizer: adamw, learningRate: 0.01, maxGradNorm: 0 },
  metrics: true,
  ...more,
})

const example = (row: readonly number[], index: number): Example => ({
  index,
  prompt: Int32Array.from(row.slice(0, 1)),
  completions: [Int32Array.from(row.slice(1))],
  text: { prompt: '', completions: [''] },
  columns: {},
})
const rows = [
  [3, 9, 20, 15, 6],
  [12, 5, 22],
  [7, 18, 4, 11, 19, 10, 21, 8],
]
const batch = forestBatch(rows.map(example))
const small = (head: ModelHead, name: keyof typeof smallConfigs = 'llama') =>
  createModel({ config: smallConfigs[name], seed: 7, head })

describe.each(backends)('on $name', ({ name: backendName, create, tolerance }) => {
  let backend: Backend
  let folder = ''
  beforeAll(async () => void (backend = await create()))
  afterAll(() => backend.close())
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'collimate-reward-'))))
  afterEach(() => rm(folder, { recursive: true }))

  const policyFor = (files: ReturnType<typeof small>) => policyOf(backend, files, { objectives })

  test.each(['gpt2-reward', 'llama-reward'])('scores and gradients of %s agree with PyTorch', async (name) => {
    const expected = JSON.parse(readFileSync(join(parityModel(name), 'expected.json'), 'utf8')) as {
      rows: number[][]
      rewards: number[]
      gradient_l2: Record<string, number>
    }
    const policy = await policyFor(await loadModel(parityModel(name)))
    const plain = forestBatch(expected.rows.map(example))
    const scored = { ...plain, inputs: { weights: Float64Array.of(1, -2, 0.5) } }
    const { scores } = await policy.outputs({ batch: plain, names: ['scores'] })
    const error = Math.max(...expected.rewards.map((reward, i) => Math.abs(scores![i]! - reward)))
    expect(error).toBeLessThan(backendName === 'onnx' ? 5e-5 : 1e-9)
    const gradient: AdamWOptions = { ...adamw, beta1: 0, weightDecay: 0 }
    const { gradNorm } = await policy.update(
      updateOf('weighted-scores', scored, { optimizer: gradient, learningRate: 0 }),
    )
    const { tensors } = await policy.snapshot()
    const bound = backendName === 'onnx' ? 5e-5 : 1e-8
    for (const [key, norm] of Object.entries(expected.gradient_l2))
      expect(relativeError([Math.hypot(...tensors[`adam.m.${key}`]!.data)], [norm]), key).toBeLessThan(bound)
    const whole = Math.hypot(...Object.values(expected.gradient_l2))
    expect(relativeError([gradNorm], [whole])).toBeLessThan(bound)
    await policy.close()
  })

  test.each(['score', 'language+score'] as const)(
    'a trained model with head %s is the same after snapshot, reference and folder',
    async (head) => {
      const policy = await policyFor(small(head))
      const use = head === 'score' ? 'weighted-scores' : 'actor-critic'
      const training = { ...batch, inputs: { weights: Float64Array.of(1, -2, 0.5) } }
      const before = await policy.outputs({ batch, names: ['values', 'scores'] })
      const reference = await policy.reference()
      await policy.update(updateOf(use, training))
      const { outputs: names, parameters } = await policy.describe()
      const after = await policy.outputs({ batch, names })
      expect(after.scores).not.toEqual(before.scores)
      expect(await reference.outputs({ batch, names: ['values', 'scores'] })).toEqual(before)
      expect((await reference.describe()).outputs).toEqual(names)

      const snapshot = await policy.snapshot()
      expect(Object.keys(snapshot.tensors)).toEqual(expect.arrayContaining(['score.weight', 'adam.v.score.weight']))
      const twin = await policyFor(small(head))
      await twin.restore({ snapshot })
      expect(await twin.outputs({ batch, names })).toEqual(after)
      const language = await policyFor(small('language'))
      await expect(language.restore({ snapshot })).rejects.toMatchObject({ code: 'COLLIMATE_SNAPSHOT_INVALID' })

      await policy.save({ folder })
      const again = await policyFor(await loadModel(folder, { head }))
      // On disk weights are float32.
      const saved = await again.outputs({ batch, names })
      for (const output of names) expect(relativeError(saved[output]!, after[output]!), output).toBeLessThan(1e-6)
      expect((await again.describe()).parameters).toBe(parameters)
      for (const one of [policy, reference, twin, language, again]) await one.close()
    },
  )

  test('a model with the scalar head alone neither samples nor scores tokens', async () => {
    const policy = await policyFor(small('score'))
    const refused = expect.objectContaining({ code: 'COLLIMATE_OUTPUT_MISSING' }) as Error
    expect((await policy.describe()).outputs).toEqual(['values', 'scores'])
    await expect(policy.logProbs({ batch })).rejects.toEqual(refused)
    await expect(policy.outputs({ batch, names: ['scores', 'entropy'] })).rejects.toEqual(refused)
    await expect(policy.update(updateOf('actor-critic', batch))).rejects.toEqual(refused)
    const sampling = { maxNewTokens: 2, temperature: 1, seed: 0 }
    const headless = expect.objectContaining({ code: 'COLLIMATE_HEAD_MISSING' }) as Error
    await expect(policy.generate({ prompts: [Int32Array.of(1)], sampling })).rejects.toEqual(headless)
    const reference = await policy.reference()
    await expect(reference.generate({ prompts: [Int32Array.of(1)], sampling })).rejects.toEqual(headless)
    await reference.close()
    expect((await policy.snapshot()).version).toBe(0)
    await policy.close()
  })

  test('a value head changes no sample', async () => {
    const request = {
      prompts: [Int32Array.of(4, 9), Int32Array.of(11)],
      sampling: { maxNewTokens: 8, temperature: 1, seed: 3 },
    }
    const [language, both] = [await policyFor(small('language')), await policyFor(small('language+score'))]
    expect(await both.generate(request)).toEqual(await language.generate(request))
    for (const policy of [language, both]) await policy.close()
  })

  test('a temperature that is none is refused', async () => {
    const policy = await policyFor(small('language+score'))
    for (const temperature of [0, -1, NaN]) {
      const refused = expect.objectContaining({ code: 'COLLIMATE_TEMPERATURE_INVALID' }) as Error
      await expect(policy.update(updateOf('actor-critic', batch, { temperature }))).rejects.toEqual(refused)
      await expect(policy.outputs({ batch, names: ['scores'], temperature })).rejects.toEqual(refused)
    }
    await policy.close()
  })

  describe.skipIf(!hasTransformers || backendName !== 'onnx')('transformers loads what is saved', () => {
    test.each([
      ['llama', { pad_token_id: 0 }],
      ['gpt2', { pad_token_id: 0 }],
      ['llama', {}],
    ] as const)('%s with %o: equal scores', async (name, more) => {
      const files = createModel({ config: { ...smallConfigs[name], ...more }, seed: 7, head: 'score' })
      const policy = await policyFor(files)
      await policy.update(updateOf('weighted-scores', { ...batch, inputs: { weights: Float64Array.of(1, -2, 0.5) } }))
      await policy.save({ folder })
      const { scores } = await policy.outputs({ batch, names: ['scores'] })
      expect(relativeError(transformersScores(folder, rows), scores!)).toBeLessThan(Math.max(2e-5, tolerance))
      await policy.close()
    })

    test('a causal model that became a score model, and one with a value head beside it', async () => {
      const both = await policyFor(small('language+score', 'gpt2'))
      await both.save({ folder })
      const [row] = rows as [number[]]
      const { logProbs } = await both.outputs({ batch: forestBatch([example(row, 0)]), names: ['logProbs'] })
      const theirs = transformersLogSoftmax(folder, row)
      expect(
        relativeError(
          row.slice(1).map((token, at) => theirs[at]![token]!),
          logProbs!.slice(0, row.length - 1),
        ),
      ).toBeLessThan(2e-5)
      const score = await policyFor(await loadModel(folder, { head: 'score' }))
      await score.save({ folder })
      const { scores } = await score.outputs({ batch, names: ['scores'] })
      expect(relativeError(transformersScores(folder, rows), scores!)).toBeLessThan(2e-5)
      await both.close()
      await score.close()
    })
  })
})
