import type { ForestBatch, ModelOutput, Objective } from '@collimate/core'
import { interpret, mul, type Tensor } from '@collimate/graph'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadModel } from './files/load-model.js'
import type { ModelFiles } from './files/model-files.js'
import { readSafetensors } from './files/safetensors.js'
import { batchSizes } from './programs/batch-inputs.js'
import { termScales } from './programs/count-units.js'
import { objectiveProgram } from './programs/objective-program.js'
import { outputsProgram } from './programs/outputs-program.js'
import * as parity from './testing/parity.js'

// Sequence-classification models with one label, by PyTorch in float64 throughout.

interface Expected {
  readonly rows: number[][]
  readonly right_padded: parity.Layout
  readonly left_padded: parity.Layout
  readonly rewards: number[]
  readonly gradient_l2: Readonly<Record<string, number>>
}

/** 1.0·r0 − 2.0·r1 + 0.5·r2, as a mean over the three sequences. */
const weighted: Objective<Tensor> = {
  name: 'weighted-scores',
  outputs: ['scores'],
  inputs: { weights: 'sequences' },
  coupled: false,
  terms: (t) => [{ perUnit: mul(t.scores, t.inputs['weights']), unit: 'sequences', weight: 3 }],
  metrics: () => ({}),
}

describe.each(['gpt2-reward', 'llama-reward'])('%s agrees with PyTorch', (name) => {
  const folder = parity.parityFolder(name)
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected
  let files: ModelFiles
  beforeAll(async () => {
    files = await loadModel(folder)
  })

  const padded = { right: expected.right_padded, left: expected.left_padded }
  const batches: readonly (readonly [string, ForestBatch])[] = [
    ['padded on the right', parity.batchOf(padded.right)],
    ['padded on the left', parity.batchOf(padded.left, { padding: 2 })],
    ['packed into one row', parity.packedBatch(expected.rows)],
  ]

  function outputs(batch: ForestBatch, names: readonly ModelOutput[]) {
    const built = outputsProgram({ ...files, sizes: batchSizes(batch), names })
    return interpret(built, { feeds: parity.feedsOf(built, batch), states: parity.float64(files.weights) }).outputs
  }

  test.each(batches)('scores, %s', async (_layout, batch) => {
    const stored = await readSafetensors(join(folder, 'expected.safetensors'), { float64: true })
    const padding = batch.sequenceCount - 3
    for (const names of [['scores'], ['values', 'scores']] as const) {
      const found = outputs(batch, names)['scores'].data
      expect(parity.relativeError(found.slice(0, 3), stored.tensors['rewards'].data)).toBeLessThan(1e-9)
      expect([...found.slice(3)]).toEqual(new Array(padding).fill(0))
    }
  })

  test('the value of a state is the score of the sequence that ends there', () => {
    const [[, batch]] = batches
    const { data } = outputs(batch, ['values'])['values']
    const last = expected.rows.map(({ length }) => length - 2)
    const shorter = parity.packedBatch(expected.rows.map((row) => row.slice(0, -1)))
    const scores = outputs(shorter, ['scores'])['scores'].data
    let start = 0
    const found = last.map((token) => {
      const value = data[start + token]
      start += token + 1
      return value
    })
    expect(parity.relativeError(found, scores)).toBeLessThan(1e-12)
  })

  test.each(batches)('gradients, %s', async (_layout, batch) => {
    const stored = await readSafetensors(join(folder, 'expected.safetensors'), { float64: true })
    const weights = new Float64Array(batch.sequenceCount).fill(NaN)
    weights.set([1, -2, 0.5])
    const request = { ...files, sizes: batchSizes(batch), objective: weighted, metrics: false }
    for (const outputNames of [['scores'], ['scores', 'values']] as const) {
      const objective = { ...weighted, outputs: outputNames }
      const built = objectiveProgram({ ...request, objective, gradients: 'assign' })
      const states = { ...parity.float64(files.weights), ...parity.zerosLike(files.weights, 'grad.') }
      const feeds = parity.feedsOf(built.program, { ...batch, inputs: { weights } }, termScales(built.terms, [batch]))
      interpret(built.program, { feeds, states })
      const gradient = (parameter: string) => states[`grad.${parameter}`].data
      expect(Object.keys(expected.gradient_l2).sort()).toEqual(Object.keys(files.weights).sort())
      for (const [parameter, norm] of Object.entries(expected.gradient_l2))
        expect(parity.relativeError([parity.l2(gradient(parameter))], [norm]), parameter).toBeLessThan(1e-8)
      expect(parity.l2Error(gradient('score.weight'), stored.tensors['grad.score.weight'].data)).toBeLessThan(1e-8)
    }
  })

  test('the older spelling of config.json says the same', () => {
    const legacy = JSON.parse(readFileSync(join(folder, 'config.legacy.json'), 'utf8')) as unknown
    expect(files.architecture.parse(legacy)).toEqual(files.config)
  })
})
