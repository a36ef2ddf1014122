import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AdamWOptions, Backend, Example, ForestBatch, ModelSnapshot, UpdateRequest } from '@collimate/core'
import { forestBatch, microBatches } from '@collimate/data'
import { exp, mul, sqrt, stopGradient, sub } from '@collimate/graph'
import { loadModel } from '@collimate/models'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { smallConfigs } from './support/policies.js'
import {
  backends,
  nextToken,
  nextTokenUse,
  parityModel,
  policyOf,
  relativeError,
  smallModel,
} from './support/policies.js'

const adamw: AdamWOptions = { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }
/** With an epsilon beyond any gradient, a step of AdamW is learningRate / epsilon · gradient: the gradient can be read off. */
const plainDescent: AdamWOptions = { name: 'adamw', beta1: 0, beta2: 0, epsilon: 1e6, weightDecay: 0 }

const update = (batches: readonly ForestBatch[], further: Partial<UpdateRequest> = {}): UpdateRequest => ({
  objective: nextTokenUse,
  batches,
  optimizer: adamw,
  learningRate: 0.01,
  maxGradNorm: 1,
  metrics: true,
  ...further,
})

const tokens = (least: number, most: number) =>
  fc.array(fc.integer({ min: 3, max: 22 }), { minLength: least, maxLength: most }).map((list) => Int32Array.from(list))

const example = fc.record({ prompt: tokens(1, 6), completions: fc.array(tokens(1, 5), { minLength: 2, maxLength: 3 }) })
const examples = fc.array(example, { minLength: 1, maxLength: 4 }).map((list) =>
  list.map(({ prompt, completions }, index): Example => {
    return { index, prompt, completions, text: { prompt: '', completions: completions.map(() => '') }, columns: {} }
  }),
)

const fixed: readonly Example[] = [
  [
    [4, 9, 3],
    [5, 6, 2],
    [8, 2],
  ],
  [[11], [7, 12, 12, 20, 2], [3, 2], [19, 2]],
].map(([prompt, ...completions], index) => ({
  index,
  prompt: Int32Array.from(prompt),
  completions: completions.map((completion) => Int32Array.from(completion)),
  text: { prompt: '', completions: completions.map(() => '') },
  columns: {},
}))
const fixedBatch = forestBatch(fixed)

/** The batch with every row wider by `more` columns of padding. */
function widened(batch: ForestBatch, more: number): ForestBatch {
  const width = batch.width + more
  const place = (at: number) => Math.floor(at / batch.width) * width + (at % batch.width)
  const wider = (values: Int32Array, fill: number) => {
    const result = new Int32Array(batch.rows * width).fill(fill)
    for (let row = 0; row < batch.rows; row++)
      result.set(values.subarray(row * batch.width, (row + 1) * batch.width), row * width)
    return result
  }
  return {
    ...batch,
    width,
    tokens: wider(batch.tokens, 0),
    positions: wider(batch.positions, 0),
    segments: wider(batch.segments, -1),
    prompts: wider(batch.prompts, -1),
    sources: batch.sources.map(place),
    ends: batch.ends.map(place),
  }
}

const real = (batch: ForestBatch, values: ArrayLike<number>) =>
  Array.from(values).filter((_, index) => batch.tokenMask[index] > 0.5)

function expectSameTensors(actual: ModelSnapshot, expected: ModelSnapshot, tolerance: number): void {
  expect(Object.keys(actual.tensors).sort()).toEqual(Object.keys(expected.tensors).sort())
  for (const [name, { data }] of Object.entries(expected.tensors))
    expect(relativeError(actual.tensors[name].data, data), name).toBeLessThanOrEqual(tolerance)
}

describe.each(backends)('update on $name', ({ create, tolerance }) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await create()
  })
  afterAll(() => backend.close())

  /** Weights after one step along the gradient. */
  async function descend(model: keyof typeof smallConfigs, batches: readonly ForestBatch[]) {
    const policy = await policyOf(backend, smallModel(model))
    const request = update(batches, { optimizer: plainDescent, learningRate: 1e6, maxGradNorm: 0 })
    const report = await policy.update(request)
    const after = await policy.snapshot()
    await policy.close()
    return { report, after }
  }

  test.each(['gpt2', 'llama', 'llama-rope3'])('loss and gradient norm of %s agree with PyTorch', async (model) => {
    const folder = parityModel(model)
    const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
      rows: number[][]
      loss: number
      gradient_l2: Record<string, number>
    }
    const policy = await policyOf(backend, await loadModel(folder))
    const rows = expected.rows.map((row, index) => ({
      ...fixed[0],
      index,
      prompt: Int32Array.of(row[0]),
      completions: [Int32Array.from(row.slice(1))],
    }))
    const { batches } = microBatches(rows, { microBatchSize: 2 })
    const report = await policy.update(update(batches))
    expect(relativeError([report.loss], [expected.loss])).toBeLessThan(tolerance)
    const norm = Math.hypot(...Object.values(expected.gradient_l2))
    expect(relativeError([report.gradNorm], [norm])).toBeLessThan(Math.max(1e-8, tolerance))
    expect(report).toMatchObject({ tokens: 26, version: 1, metrics: { entropy: { count: 23 } } })
    await policy.close()
  })

  test.each(['llama', 'gpt2'] as const)(
    'shared, packed, padded and separate rows agree in value and gradient (%s)',
    async (model) => {
      const policy = await policyOf(backend, smallModel(model))
      await fc.assert(
        fc.asyncProperty(examples, fc.integer({ min: 1, max: 5 }), async (list, more) => {
          const shared = forestBatch(list)
          const layouts = {
            separate: forestBatch(list, { layout: 'separate' }),
            packed: forestBatch(list, { layout: 'packed', width: 36, bucket: false }),
            unpadded: forestBatch(list, { bucket: false }),
            padded: widened(shared, more),
          }
          const values = real(shared, await policy.logProbs({ batch: shared }))
          const gradient = await descend(model, [shared])
          for (const [name, batch] of Object.entries(layouts)) {
            const logProbs = real(batch, await policy.logProbs({ batch }))
            expect(relativeError(logProbs, values), name).toBeLessThan(tolerance)
            const { report, after } = await descend(model, [batch])
            expect(relativeError([report.loss], [gradient.report.loss]), name).toBeLessThan(tolerance)
            expectSameTensors(after, gradient.after, tolerance)
          }
        }),
        { numRuns: 4 },
      )
      await policy.close()
    },
  )

  test('any split into micro-batches gives the same gradient and report', async () => {
    await fc.assert(
      fc.asyncProperty(examples, fc.integer({ min: 1, max: 3 }), async (list, microBatchSize) => {
        const whole = await descend('llama', [forestBatch(list)])
        const { batches } = microBatches(list, { microBatchSize })
        const split = await descend('llama', batches)
        expectSameTensors(split.after, whole.after, tolerance)
        const summary = ({ report }: typeof whole) => [
          report.loss,
          report.gradNorm,
          report.tokens,
          ...Object.values(report.metrics).flatMap(({ sum, count }) => [sum, count]),
        ]
        expect(relativeError(summary(split), summary(whole))).toBeLessThan(tolerance)
        expect(split.report.microBatches).toHaveLength(batches.length)
      }),
      { numRuns: 5 },
    )
  })

  test('later tokens and other completions change nothing', async () => {
    const policy = await policyOf(backend, smallModel())
    const first = fixed[0]
    const changed = { ...first, completions: [Int32Array.of(5, 6, 21), Int32Array.of(13, 14, 15)] }
    const before = await policy.logProbs({ batch: forestBatch([first], { bucket: false }) })
    const after = await policy.logProbs({ batch: forestBatch([changed], { bucket: false }) })
    expect(relativeError(after.slice(0, 2), before.slice(0, 2))).toBeLessThan(tolerance)
    await policy.close()
  })

  test('evaluate gives the report of an update and changes nothing', async () => {
    const policy = await policyOf(backend, smallModel())
    const { weightsHash } = await policy.describe()
    const report = await policy.evaluate(update([fixedBatch]))
    expect((await policy.describe()).weightsHash).toBe(weightsHash)
    const updated = await policy.update(update([fixedBatch]))
    expect(relativeError([report.loss], [updated.loss])).toBeLessThan(tolerance)
    expect(report).toMatchObject({ gradNorm: 0, version: 0, tokens: updated.tokens })
    expect((await policy.describe()).weightsHash).not.toBe(weightsHash)
    await policy.close()
  })

  test('training lowers the loss', async () => {
    const policy = await policyOf(backend, smallModel())
    const losses: number[] = []
    for (let step = 0; step < 20; step++) losses.push((await policy.update(update([fixedBatch]))).loss)
    expect(losses[19]).toBeLessThan(losses[0] / 2)
    await policy.close()
  })

  test('a restored policy goes on in the same bits', async () => {
    const policy = await policyOf(backend, smallModel())
    const fresh = await policy.snapshot()
    for (let step = 0; step < 3; step++) await policy.update(update([fixedBatch]))
    const middle = await policy.snapshot()
    const goOn = async (model: typeof policy) => {
      for (let step = 0; step < 3; step++) await model.update(update([fixedBatch]))
      return model.snapshot()
    }
    const end = await goOn(policy)
    expect(end).toMatchObject({ version: 6, optimizerSteps: 6 })

    const other = await policyOf(backend, smallModel('llama', 8))
    await other.restore({ snapshot: middle })
    expectSameTensors(await other.snapshot(), middle, 0)
    expectSameTensors(await goOn(other), end, 0)

    // Back to before the first step: the moments are gone too.
    await other.restore({ snapshot: fresh })
    for (let step = 0; step < 3; step++) await other.update(update([fixedBatch]))
    expectSameTensors(await other.snapshot(), middle, 0)
    await policy.close()
    await other.close()
  })

  test.each<[string, (snapshot: ModelSnapshot) => ModelSnapshot]>([
    [
      'lacks a tensor',
      ({ tensors, ...rest }) => ({ ...rest, tensors: Object.fromEntries(Object.entries(tensors).slice(1)) }),
    ],
    ['has another shape', ({ tensors, ...rest }) => ({ ...rest, tensors: reshaped(tensors) })],
    [
      'has a strange tensor',
      ({ tensors, ...rest }) => ({ ...rest, tensors: { ...tensors, strange: Object.values(tensors)[0] } }),
    ],
    ['counts wrongly', (snapshot) => ({ ...snapshot, optimizerSteps: -1 })],
  ])('a snapshot that %s is refused and changes nothing', async (_, spoil) => {
    const policy = await policyOf(backend, smallModel())
    const snapshot = await policy.snapshot()
    const before = await policy.describe()
    await expect(policy.restore({ snapshot: spoil(snapshot) })).rejects.toMatchObject({
      code: 'COLLIMATE_SNAPSHOT_INVALID',
    })
    expect(await policy.describe()).toEqual(before)
    await policy.close()
  })

  test('a reference stays as the policy was, whenever it is taken', async () => {
    const own = await create()
    const policy = await policyOf(own, smallModel())
    const references = []
    for (let step = 0; step < 3; step++) {
      const reference = await policy.reference()
      const expected = await policy.logProbs({ batch: fixedBatch })
      const greedy = { prompts: [fixed[0].prompt], sampling: { maxNewTokens: 5, temperature: 0, seed: 0 } }
      references.push({ reference, expected, greedy, story: await policy.generate(greedy) })
      await policy.update(update([fixedBatch]))
      expect(await policy.logProbs({ batch: fixedBatch })).not.toEqual(expected)
    }
    const snapshot = await policy.snapshot()
    await policy.close()
    for (const [version, { reference, expected, greedy, story }] of references.entries()) {
      expect(await reference.logProbs({ batch: fixedBatch })).toEqual(expected)
      expect(await reference.generate(greedy)).toEqual(story)
      expect(await reference.describe()).toMatchObject({ version })
      expect(reference).not.toHaveProperty('update')
      await reference.close()
    }
    expect(snapshot.version).toBe(3)
    expect(await own.usage()).toEqual({ executables: 0, states: 0, bytes: 0 })
    await own.close()
  })

  test('steps leave nothing behind', async () => {
    const own = await create()
    const policy = await policyOf(own, smallModel())
    const { batches } = microBatches(fixed, { microBatchSize: 1 })
    for (let step = 0; step < 2; step++) await policy.update(update(batches))
    const before = await own.usage()
    for (let step = 0; step < 3; step++) await policy.update(update(batches))
    expect(await own.usage()).toEqual(before)
    await own.close()
  })

  test('a saved model loads with the same weights', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'collimate-policy-'))
    try {
      const policy = await policyOf(backend, smallModel())
      await policy.update(update([fixedBatch]))
      await policy.save({ folder: join(folder, 'model') })
      const again = await policyOf(backend, await loadModel(join(folder, 'model')))
      expect((await again.describe()).weightsHash).toBe((await policy.describe()).weightsHash)
      await policy.close()
      await again.close()
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  const spoiled = (field: keyof ForestBatch, index: number, value: number): ForestBatch => {
    const values = (fixedBatch[field] as Int32Array).slice()
    values[index] = value
    return { ...fixedBatch, [field]: values }
  }
  const empty = { ...fixedBatch, tokenMask: new Float32Array(fixedBatch.tokenMask.length) }
  const withInput = (values: Float64Array) => [{ ...fixedBatch, inputs: { weights: values } }]
  const ones = () => new Float64Array(fixedBatch.sources.length).fill(1)
  const weighted = { use: 'weighted', options: {} }

  test.each<[string, string, Partial<UpdateRequest>]>([
    ['no micro-batch', 'COLLIMATE_UPDATE_INVALID', { batches: [] }],
    ['a negative learning rate', 'COLLIMATE_UPDATE_INVALID', { learningRate: -1 }],
    ['NaN as learning rate', 'COLLIMATE_UPDATE_INVALID', { learningRate: NaN }],
    ['beta1 of 1', 'COLLIMATE_UPDATE_INVALID', { optimizer: { ...adamw, beta1: 1 } }],
    [
      'a coupled objective in parts',
      'COLLIMATE_UPDATE_INVALID',
      { objective: { use: 'coupled', options: {} }, batches: [fixedBatch, fixedBatch] },
    ],
    ['nothing that is scored', 'COLLIMATE_UPDATE_EMPTY', { batches: [empty] }],
    ['a token beyond the vocabulary', 'COLLIMATE_BATCH_INVALID', { batches: [spoiled('tokens', 0, 23)] }],
    ['a negative target', 'COLLIMATE_BATCH_INVALID', { batches: [spoiled('targets', 0, -1)] }],
    ['a source outside', 'COLLIMATE_BATCH_INVALID', { batches: [spoiled('sources', 0, 9999)] }],
    ['too few positions', 'COLLIMATE_BATCH_INVALID', { batches: [{ ...fixedBatch, positions: new Int32Array(3) }] }],
    ['a missing input', 'COLLIMATE_BATCH_INVALID', { objective: weighted }],
    [
      'an input of another size',
      'COLLIMATE_BATCH_INVALID',
      { objective: weighted, batches: withInput(new Float64Array(2)) },
    ],
    ['NaN in an input', 'COLLIMATE_NOT_FINITE', { objective: weighted, batches: withInput(ones().fill(NaN, 0, 1)) }],
    ['a loss that overflows', 'COLLIMATE_NOT_FINITE', { objective: { use: 'overflowing', options: {} } }],
    ['a gradient that is not finite', 'COLLIMATE_NOT_FINITE', { objective: { use: 'steep', options: {} } }],
    ['an output that the model lacks', 'COLLIMATE_OUTPUT_MISSING', { objective: { use: 'critic', options: {} } }],
  ])('%s is refused with %s and changes nothing', async (_, code, request) => {
    const policy = await policyOf(backend, smallModel(), { objectives: strangeObjectives })
    await policy.update(update([fixedBatch]))
    const before = await policy.snapshot()
    await expect(policy.update(update([fixedBatch], request))).rejects.toMatchObject({ code })
    expectSameTensors(await policy.snapshot(), before, 0)
    expect(await policy.describe()).toMatchObject({ version: 1 })
    await policy.close()
  })

  test('what padding slots hold is of no consequence', async () => {
    const policy = await policyOf(backend, smallModel(), { objectives: strangeObjectives })
    const padding = fixedBatch.tokenMask.map((mask) => 1 - mask)
    expect(padding.some((bit) => bit === 1)).toBe(true)
    const values = ones().map((one, index) => (padding[index] === 1 ? NaN : one))
    const plain = await policy.evaluate(update([fixedBatch]))
    const report = await policy.evaluate(update(withInput(values), { objective: weighted }))
    expect(relativeError([report.loss], [plain.loss])).toBeLessThan(tolerance)
    await policy.close()
  })
})

const reshaped = (tensors: ModelSnapshot['tensors']): ModelSnapshot['tensors'] =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, shape: [tensor.data.length, 1] }]),
  )

const strangeObjectives: NonNullable<Parameters<typeof policyOf>[2]>['objectives'] = {
  coupled: { ...nextToken, coupled: true },
  critic: { ...nextToken, outputs: ['values'] },
  weighted: {
    ...nextToken,
    inputs: { weights: 'tokens' },
    terms: (t) => nextToken.terms(t).map((term) => ({ ...term, perUnit: mul(term.perUnit, t.inputs['weights']) })),
  },
  overflowing: {
    ...nextToken,
    terms: (t) => nextToken.terms(t).map((term) => ({ ...term, perUnit: exp(mul(term.perUnit, 1e6)) })),
  },
  // The root of 0: finite, with an infinite slope.
  steep: {
    ...nextToken,
    terms: (t) =>
      nextToken.terms(t).map((term) => ({ ...term, perUnit: sqrt(sub(term.perUnit, stopGradient(term.perUnit))) })),
  },
}
