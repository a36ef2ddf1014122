import type { ForestBatch, Objective } from '@collimate/core'
import { interpret, matmul, neg, program, type Tensor } from '@collimate/graph'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { forestAttention } from './programs/attention.js'
import { batchInputs, batchSizes } from './programs/batch-inputs.js'
import { termScales } from './programs/count-units.js'
import { objectiveProgram } from './programs/objective-program.js'
import { objectiveReport } from './programs/objective-report.js'
import { outputsProgram } from './programs/outputs-program.js'
import { weightInputs } from './programs/parameters.js'
import * as parity from './testing/parity.js'

// Expected values by PyTorch in float64 throughout; tolerances are those of the fixtures' README.
const valueTolerance = 1e-9
const gradientTolerance = 1e-8

const nextToken: Objective<Tensor> = {
  name: 'next-token',
  outputs: ['logProbs'],
  inputs: {},
  coupled: false,
  terms: (t) => [{ perUnit: neg(t.logProbs), unit: 'tokens' }],
  metrics: (t) => ({
    entropy: { perUnit: t.entropy, unit: 'tokens' },
    accuracy: { perUnit: t.correct, unit: 'tokens' },
  }),
}

describe.each(['gpt2', 'llama', 'llama-rope3'])('%s agrees with PyTorch', (name) => {
  let expected: parity.Parity
  beforeAll(async () => {
    expected = await parity.readParity(name)
  })

  function outputs(batch: ForestBatch, names: ('logProbs' | 'entropy' | 'meanLogits' | 'correct')[]) {
    const built = outputsProgram({ ...expected.files, sizes: batchSizes(batch), names })
    const states = parity.float64(expected.files.weights)
    return interpret(built, { feeds: parity.feedsOf(built, batch), states }).outputs
  }

  function update(batches: readonly ForestBatch[]) {
    const weights = parity.float64(expected.files.weights)
    const states = { ...weights, ...parity.zerosLike(weights, 'grad.') }
    const parts = batches.map((batch, i) => {
      const request = { ...expected.files, sizes: batchSizes(batch), objective: nextToken, metrics: true }
      const built = objectiveProgram({ ...request, gradients: i === 0 ? 'assign' : 'add' })
      const feeds = parity.feedsOf(built.program, batch, termScales(built.terms, batches))
      const values = interpret(built.program, { feeds, states }).outputs
      return { built, values: Object.fromEntries(Object.entries(values).map(([key, { data }]) => [key, data])) }
    })
    const report = objectiveReport(
      parts[0].built,
      parts.map(({ values }) => values),
    )
    const gradient = (parameter: string) => states[`grad.${parameter}`].data
    return { report, gradient, names: Object.keys(weights) }
  }

  function expectGradients({ gradient, names }: ReturnType<typeof update>): void {
    expect(Object.keys(expected.gradientNorms).sort()).toEqual([...names].sort())
    for (const parameter of names) {
      const norm = expected.gradientNorms[parameter]
      expect(parity.relativeError([parity.l2(gradient(parameter))], [norm]), parameter).toBeLessThan(gradientTolerance)
    }
    const stored = Object.keys(expected.tensors).filter((key) => key.startsWith('grad.'))
    expect(stored).toHaveLength(3)
    for (const key of stored) {
      expect(parity.l2Error(gradient(key.slice(5)), expected.tensors[key].data), key).toBeLessThan(gradientTolerance)
    }
  }

  test('logits of every real position', () => {
    const { config, architecture, weights } = expected.files
    const batch = parity.batchOf(expected.right, { last: true })
    const inputs = batchInputs(batchSizes(batch))
    const states = weightInputs(architecture.parameters(config))
    const rows = architecture.trunk(config, states, { ...inputs, attention: forestAttention(config, inputs) })
    const logits = matmul(rows, architecture.head(config, states), { transposeB: true })
    const built = program({ name: 'logits', outputs: { logits } })
    const run = interpret(built, { feeds: parity.feedsOf(built, batch), states: parity.float64(weights) })
    const all = run.outputs['logits'].data as Float64Array
    const real = [...batch.sources].flatMap((row) => [
      ...all.subarray(row * config.vocabularySize, (row + 1) * config.vocabularySize),
    ])
    expect(parity.relativeError(real, expected.tensors['logits'].data)).toBeLessThan(valueTolerance)
  })

  test.each(['right', 'left'] as const)('log-probs, entropies and mean logits, padded on the %s', (side) => {
    const { logProbs } = outputs(parity.batchOf(expected[side]), ['logProbs'])
    expect(parity.relativeError(logProbs.data, expected.tensors['logprobs'].data)).toBeLessThan(valueTolerance)
    const { entropy, meanLogits } = outputs(parity.batchOf(expected[side], { last: true }), ['entropy', 'meanLogits'])
    expect(parity.relativeError(entropy.data, expected.tensors['entropy'].data)).toBeLessThan(valueTolerance)
    const { shape, data } = expected.tensors['logits']
    const means = Array.from({ length: shape[0] }, (_, row) => {
      const logits = Array.from(data.slice(row * shape[1], (row + 1) * shape[1]))
      return logits.reduce((total, logit) => total + logit, 0) / shape[1]
    })
    expect(parity.relativeError(meanLogits.data, means)).toBeLessThan(valueTolerance)
  })

  test('rows packed into one', () => {
    const { logProbs } = outputs(parity.packedBatch(expected.rows), ['logProbs'])
    expect(parity.relativeError(logProbs.data, expected.tensors['logprobs'].data)).toBeLessThan(valueTolerance)
  })

  test.each(['right', 'left'] as const)('loss and gradients, padded on the %s, unused slots included', (side) => {
    const result = update([parity.batchOf(expected[side], { padding: 3 })])
    expect(parity.relativeError([result.report.loss], [expected.loss])).toBeLessThan(valueTolerance)
    expect(result.report.metrics['accuracy'].count).toBe(23)
    expectGradients(result)
  })

  test('gradients of uneven micro-batches add up to those of the batch', () => {
    const single = (row: number[]) => parity.packedBatch([row])
    const result = update([parity.packedBatch(expected.rows.slice(0, 2)), single(expected.rows[2])])
    expect(parity.relativeError([result.report.loss], [expected.loss])).toBeLessThan(valueTolerance)
    expectGradients(result)
  })

  test('the older spelling of config.json says the same', () => {
    const legacy = JSON.parse(readFileSync(join(parity.parityFolder(name), 'config.legacy.json'), 'utf8')) as unknown
    expect(expected.files.architecture.parse(legacy)).toEqual(expected.files.config)
  })
})
