import type { ForestBatch } from '@collimate/core'
import { concat, input, interpret, matmul, program, reshape, slice, type Tensor } from '@collimate/graph'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelFiles } from '../files/model-files.js'
import { feedsOf, float64, forestBatch, relativeError } from '../testing/parity.js'
import { tinyGpt2, tinyLlama } from '../testing/tiny-models.js'
import { cachedAttention, cacheMask, forestAttention } from './attention.js'
import { batchSizes } from './batch-inputs.js'
import { outputsProgram } from './outputs-program.js'
import { weightInputs } from './parameters.js'

const models = [
  ['llama', tinyLlama()],
  ['gpt2', tinyGpt2()],
] as const
const token = fc.integer({ min: 0, max: 10 })
const tokens = (maxLength: number) => fc.array(token, { minLength: 1, maxLength })
const family = fc.record({ prompt: tokens(5), completions: fc.array(tokens(4), { minLength: 1, maxLength: 3 }) })
type Family = typeof family extends fc.Arbitrary<infer F> ? F : never

function logProbs(files: ModelFiles, batch: ForestBatch): Float64Array {
  const built = outputsProgram({ ...files, sizes: batchSizes(batch), names: ['logProbs'] })
  const run = interpret(built, { feeds: feedsOf(built, batch), states: float64(files.weights) })
  return run.outputs['logProbs'].data as Float64Array
}

/** Families behind each other in one row, each prompt once, with padding before, between and after. */
function forestRow(families: readonly Family[], gap: number): ForestBatch {
  const row = { tokens: [] as number[], positions: [] as number[], segments: [] as number[], prompts: [] as number[] }
  const scored: { source: number; target: number; sequence: number }[] = []
  let segment = 0
  let sequence = 0
  const put = (id: number, position: number, own: number, prompt: number): number => {
    row.positions.push(position)
    row.segments.push(own)
    row.prompts.push(prompt)
    return row.tokens.push(id) - 1
  }
  const pad = () => Array.from({ length: gap }, (_, i) => put(i, 0, -1, -1))
  for (const { prompt, completions } of families) {
    pad()
    const promptSegment = segment++
    const ends = prompt.map((id, i) => put(id, i, promptSegment, promptSegment))
    for (const completion of completions) {
      const own = segment++
      let source = ends[ends.length - 1]
      completion.forEach((target, i) => {
        scored.push({ source, target, sequence })
        source = put(target, prompt.length + i, own, promptSegment)
      })
      sequence++
      pad()
    }
  }
  return forestBatch({ rows: 1, width: row.tokens.length, ...row }, scored, sequence, 0)
}

describe.each(models)('%s', (_name, files) => {
  test('shared, packed and padded rows equal separate ones', () => {
    const parameters = fc.tuple(fc.array(family, { minLength: 1, maxLength: 2 }), fc.integer({ min: 0, max: 2 }))
    fc.assert(
      fc.property(parameters, ([families, gap]) => {
        const separate = families.flatMap(({ prompt, completions }) =>
          completions.flatMap((completion) => [
            ...logProbs(files, forestRow([{ prompt, completions: [completion] }], 0)),
          ]),
        )
        expect(relativeError(logProbs(files, forestRow(families, gap)), separate)).toBeLessThan(1e-10)
      }),
      { numRuns: 25 },
    )
  })

  test('no token sees later ones', () => {
    fc.assert(
      fc.property(tokens(6), tokens(6), token, (prompt, completion, other) => {
        const before = logProbs(files, forestRow([{ prompt, completions: [completion] }], 0))
        const changed = [...completion.slice(0, -1), other]
        const after = logProbs(files, forestRow([{ prompt, completions: [changed] }], 0))
        expect(after.slice(0, -1)).toEqual(before.slice(0, -1))
      }),
      { numRuns: 25 },
    )
  })

  test('decoding over a cache, in steps of any size, equals reading at once', () => {
    fc.assert(
      fc.property(fc.array(token, { minLength: 3, maxLength: 8 }), fc.integer({ min: 1, max: 3 }), (ids, stride) => {
        const whole = hiddenAtOnce(files, ids)
        expect(relativeError(hiddenByCache(files, ids, stride), whole)).toBeLessThan(1e-10)
      }),
      { numRuns: 20 },
    )
  })

  test('joined weights change nothing, kept rows are those of the whole', () => {
    const ids = [3, 1, 4, 1, 5]
    const whole = hiddenAtOnce(files, ids)
    expect(relativeError(hiddenAtOnce(files, ids, { joinWeights: true }), whole)).toBeLessThan(1e-12)
    const last = hiddenAtOnce(files, ids, { keep: (rows: Tensor) => slice(rows, [4, 0], [5, rows.shape[1]]) })
    expect(relativeError(last, whole.slice(-files.config.hidden))).toBeLessThan(1e-12)
  })
})

function hiddenAtOnce(files: ModelFiles, ids: readonly number[], change: object = {}): Float64Array {
  const { architecture, config } = files
  const shape = [1, ids.length]
  const segments = input('segments', shape, 'int')
  const hidden = architecture.trunk(config, weightInputs(architecture.parameters(config)), {
    tokens: input('tokens', shape, 'int'),
    positions: input('positions', shape, 'int'),
    attention: forestAttention(config, { segments, prompts: segments }),
    ...change,
  })
  const feeds = {
    tokens: Int32Array.from(ids),
    positions: Int32Array.from(ids.keys()),
    segments: new Int32Array(ids.length),
  }
  const built = program({ name: 'hidden', outputs: { hidden } })
  return interpret(built, { feeds, states: float64(files.weights) }).outputs['hidden'].data as Float64Array
}

/** The last tokens in steps of `stride` over a cache that starts with a prompt of 2, padded to 3 slots. */
function hiddenByCache(files: ModelFiles, ids: readonly number[], stride: number): Float64Array {
  const { architecture, config } = files
  const promptLength = 2
  const promptWidth = 3
  const capacity = 12
  const caches = ['k', 'v'].flatMap((part) =>
    Array.from({ length: config.layers }, (_, layer) => `cache.${part}.${layer}`),
  )
  const cacheShape = [1, config.kvHeads, capacity, config.headDim]
  const size = cacheShape.reduce((product, n) => product * n, 1)
  // Whatever lies in unwritten slots must not matter.
  const states = {
    ...float64(files.weights),
    ...Object.fromEntries(
      caches.map((name) => [
        name,
        { dtype: 'float' as const, shape: cacheShape, data: new Float64Array(size).fill(7) },
      ]),
    ),
  }
  const run = (chunk: readonly number[], position: number, slot: number): Float64Array => {
    const writeIndex = input('slot', [], 'int')
    const cache = (name: string) => input(name, cacheShape, 'float', 'state')
    const updates: Parameters<typeof program>[0]['updates'] & object[] = []
    const attention = cachedAttention(
      config,
      {
        keys: (layer) => cache(`cache.k.${layer}`),
        values: (layer) => cache(`cache.v.${layer}`),
        mask: cacheMask(capacity, input('promptLengths', [1], 'int'), promptWidth, writeIndex),
      },
      (layer, k, v) => {
        updates.push({ state: cache(`cache.k.${layer}`), value: k, at: { axis: 2, start: writeIndex } })
        updates.push({ state: cache(`cache.v.${layer}`), value: v, at: { axis: 2, start: writeIndex } })
      },
    )
    const hidden = architecture.trunk(config, weightInputs(architecture.parameters(config)), {
      tokens: input('tokens', [1, chunk.length], 'int'),
      positions: input('positions', [1, chunk.length], 'int'),
      attention,
    })
    const built = program({ name: 'step', outputs: { hidden }, updates })
    const feeds = {
      tokens: Int32Array.from(chunk),
      positions: Int32Array.from(chunk, (_, i) => position + i),
      slot: Int32Array.of(slot),
      promptLengths: Int32Array.of(position === 0 ? 0 : promptLength),
    }
    return interpret(built, { feeds, states }).outputs['hidden'].data as Float64Array
  }
  const result = [...run(ids.slice(0, promptLength), 0, 0)]
  for (let at = promptLength; at < ids.length; at += stride) {
    result.push(...run(ids.slice(at, at + stride), at, promptWidth + at - promptLength))
  }
  return Float64Array.from(result)
}

test('grouped-query attention equals repeated keys and values', () => {
  const { config } = tinyLlama()
  const [batch, length] = [2, 3]
  const segments = input('segments', [batch, length], 'int')
  const q = input('q', [batch, 4, length, 4])
  const k = input('k', [batch, 2, length, 4])
  const v = input('v', [batch, 2, length, 4])
  const repeat = (x: Tensor): Tensor => {
    const head = (i: number) => slice(x, [0, i, 0, 0], [batch, i + 1, length, 4])
    return concat([head(0), head(0), head(1), head(1)], 1)
  }
  const grouped = forestAttention(config, { segments, prompts: segments })(0, q, k, v)
  const single = forestAttention({ ...config, kvHeads: 4 }, { segments, prompts: segments })(0, q, repeat(k), repeat(v))
  const built = program({
    name: 'both',
    outputs: { grouped, single, unused: reshape(matmul(q, q, { transposeB: true }), [-1]) },
  })
  const numbers = (n: number, phase: number) => Float64Array.from({ length: n }, (_, i) => Math.sin(3 * i + phase))
  const feeds = { q: numbers(96, 0), k: numbers(48, 1), v: numbers(48, 2), segments: Int32Array.of(0, 0, 0, 0, 1, 1) }
  const { outputs } = interpret(built, { feeds })
  expect(relativeError(outputs['grouped'].data, outputs['single'].data)).toBeLessThan(1e-14)
})
