import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend, Example, HostTensor, TensorData } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { gather, matmul, program, type Program } from '@collimate/graph'
import {
  batchInputs,
  batchSizes,
  forestAttention,
  gradientName,
  loadModel,
  objectiveProgram,
  objectiveReport,
  outputsProgram,
  readSafetensors,
  termScales,
  weightInputs,
} from '@collimate/models'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backends, nextToken, parityModel, relativeError } from './support/policies.js'

// The models in float32 on ONNX Runtime against PyTorch in float64, within the fixtures' tolerances for float32.
// packages/models holds the same models to the float64 tolerances on the interpreter.
const onnx = backends[1]

describe.each(['gpt2', 'llama', 'llama-rope3'])('%s on onnx agrees with PyTorch', (name) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await onnx.create()
  })
  afterAll(() => backend.close())

  const folder = parityModel(name)
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
    readonly rows: number[][]
    readonly loss: number
    readonly gradient_l2: Record<string, number>
  }
  const readExpected = async () =>
    (await readSafetensors(join(folder, 'expected.safetensors'), { float64: true })).tensors

  /** Each row with its first token as prompt: every next token is scored. */
  const batch = forestBatch(
    expected.rows.map((row, index): Example => ({
      index,
      prompt: Int32Array.from(row.slice(0, 1)),
      completions: [Int32Array.from(row.slice(1))],
      text: { prompt: '', completions: [''] },
      columns: {},
    })),
    { bucket: false },
  )
  const sizes = batchSizes(batch)

  async function run(built: Program, tensors: Record<string, HostTensor>, scales: Record<string, TensorData> = {}) {
    const all: Record<string, unknown> = { ...batch, ...scales }
    const feeds = built.inputs.filter(({ role }) => role === 'feed').map(({ name }) => [name, all[name] as TensorData])
    const executable = await backend.compile({ program: built })
    const state = await backend.state({ tensors })
    const outputs = await backend.run({ executable, feeds: Object.fromEntries(feeds), states: [state] })
    return { outputs, state }
  }

  test('logits', async () => {
    const { architecture, config, weights } = await loadModel(folder)
    const inputs = batchInputs(sizes)
    const states = weightInputs(architecture.parameters(config))
    const rows = architecture.trunk(config, states, { ...inputs, attention: forestAttention(config, inputs) })
    const scored = gather(rows, inputs.sources)
    const logits = matmul(scored, architecture.head(config, states), { transposeB: true })
    const { outputs } = await run(program({ name: 'logits', outputs: { logits } }), { ...weights })
    // All positions but each row's last, which scores nothing.
    const stored = (await readExpected())['logits'].data
    const width = config.vocabularySize
    let row = 0
    const wanted = expected.rows.flatMap((ids) => {
      const begin = row
      row += ids.length
      return [...stored.subarray(begin * width, (row - 1) * width)]
    })
    const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(outputs['logits'][i] - value)), 0)
    expect(outputs['logits']).toHaveLength(wanted.length)
    expect(worst).toBeLessThan(5e-5)
  })

  test('log-probs', async () => {
    const { architecture, config, weights } = await loadModel(folder)
    const built = outputsProgram({ architecture, config, sizes, names: ['logProbs'] })
    const { outputs } = await run(built, { ...weights })
    expect(relativeError(outputs['logProbs'], (await readExpected())['logprobs'].data)).toBeLessThan(1e-5)
  })

  test('loss and gradients', async () => {
    const { architecture, config, weights } = await loadModel(folder)
    const built = objectiveProgram({
      architecture,
      config,
      sizes,
      objective: nextToken,
      metrics: true,
      gradients: 'assign',
    })
    const gradients = Object.entries(weights).map(([key, { dtype, shape, data }]) => {
      return [gradientName(key), { dtype, shape, data: new Float32Array(data.length) }] as const
    })
    const tensors = { ...weights, ...Object.fromEntries(gradients) }
    const { outputs, state } = await run(built.program, tensors, termScales(built.terms, [batch]))
    const { loss, metrics } = objectiveReport(built, [outputs])
    expect(relativeError([loss], [expected.loss])).toBeLessThan(1e-5)
    expect(metrics['accuracy'].count).toBe(23)

    const computed = await backend.read({ state })
    const gradient = (key: string) => Float64Array.from(computed[gradientName(key)].data)
    for (const [key, norm] of Object.entries(expected.gradient_l2)) {
      expect(relativeError([Math.hypot(...gradient(key))], [norm]), key).toBeLessThan(5e-5)
    }
    for (const [key, { data }] of Object.entries(await readExpected())) {
      if (!key.startsWith('grad.')) continue
      const difference = gradient(key.slice('grad.'.length)).map((value, i) => value - data[i])
      expect(Math.hypot(...difference) / Math.hypot(...data), key).toBeLessThan(5e-5)
    }
  })
})
