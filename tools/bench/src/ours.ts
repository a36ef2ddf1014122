import { createRegistry, parsePluginOptions, standaloneContext, uniform } from '@collimate/core'
import type { Backend, Example, GenerateRequest, Policy, Reference, Sampling, UpdateRequest } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { input, matmul, program, slice } from '@collimate/graph'
import { transformer } from '@collimate/policy-transformer'
import { dpo } from '@collimate/trainer-dpo'
import { sft } from '@collimate/trainer-sft'
import { modelConfig, shapes } from './shapes.js'

/** Each piece of work, done once per call; gives the tokens that it is counted for. */
export interface Works {
  readonly parameters: number
  readonly work: Readonly<Record<string, () => Promise<number>>>
  close(): Promise<void>
}

const optimizer = { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const
const step: Omit<UpdateRequest, 'objective' | 'batches'> = {
  optimizer,
  learningRate: 1e-4,
  maxGradNorm: 1,
  metrics: false,
}

const tokens = (stream: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => Math.floor(uniform(1, stream, i) * shapes.vocabulary))

/** A text of `width` tokens: every token but the first is scored. */
const text = (index: number): Example => ({
  index,
  prompt: new Int32Array(0),
  completions: [tokens(index, shapes.width)],
  text: { prompt: '', completions: [''] },
  columns: {},
})

const pair = (index: number): Example => ({
  index,
  prompt: tokens(100 + index, shapes.prompt),
  completions: [tokens(200 + index, shapes.width - shapes.prompt), tokens(300 + index, shapes.width - shapes.prompt)],
  text: { prompt: '', completions: ['', ''] },
  columns: {},
})

/** A backend as an experiment names it. */
export interface Provider {
  readonly use: string
  readonly device?: string
  readonly precision?: string
  readonly threads?: number
}

/** The benchmark's work on our side: the real backend, policy and objectives, on the shapes of shapes.ts. */
export async function ours(provider: Provider): Promise<Works> {
  const contextOf = (given?: Backend) =>
    standaloneContext({ seed: 1, plugins: [sft, dpo], ...(given && { backend: given }) }).context
  const { plugin, options } = await createRegistry().resolve('backend', { ...provider }, process.cwd())
  const backend = await plugin.definition.create(options, contextOf())
  const model = parsePluginOptions(transformer, { create: { config: modelConfig, seed: 1 } })
  const policy: Policy = await transformer.definition.create(model as never, contextOf(backend))
  const reference = await policy.reference()

  const texts = Array.from({ length: shapes.rows }, (_, i) => text(i))
  const sftBatches = [forestBatch(texts, { layout: 'separate' })]
  const pairs = Array.from({ length: shapes.rows / 2 }, (_, i) => pair(i))
  const pairBatches = {
    shared: forestBatch(pairs, { layout: 'shared' }),
    separate: forestBatch(pairs, { layout: 'separate' }),
  }
  const precomputed = new Map<string, Float32Array | Float64Array>()
  const trained = shapes.rows * shapes.width
  const dpoUpdate = async (layout: 'shared' | 'separate', live: boolean): Promise<number> => {
    const batch = pairBatches[layout]
    const kept = live ? undefined : precomputed.get(layout)
    const refLogProbs = kept ?? (await reference.logProbs({ batch }))
    precomputed.set(layout, refLogProbs)
    await policy.update({
      ...step,
      objective: { use: 'dpo', options: {} },
      batches: [{ ...batch, inputs: { refLogProbs } }],
    })
    return trained
  }

  const size = 1024
  const square = () => Float32Array.from({ length: size * size }, (_, i) => uniform(2, 0, i) - 0.5)
  const matrices = await backend.state({
    tensors: {
      a: { dtype: 'float', shape: [size, size], data: square() },
      b: { dtype: 'float', shape: [size, size], data: square() },
    },
  })
  const [a, b] = ['a', 'b'].map((name) => input(name, [size, size], 'float', 'state'))
  const product = slice(matmul(a!, b!), [0, 0], [1, 1])
  const multiply = await backend.compile({ program: program({ name: 'matmul', outputs: { product } }) })

  const prompts = Array.from({ length: shapes.uneven.prompts }, (_, i) => tokens(400 + i, shapes.prompt))
  const decode = async (
    from: Reference,
    request: Pick<GenerateRequest, 'prompts' | 'batchSize'>,
    sampling: Pick<Sampling, 'maxNewTokens' | 'stopTokens'>,
  ): Promise<number> => {
    const { completions } = await from.generate({ ...request, sampling: { temperature: 1, seed: 1, ...sampling } })
    return completions.reduce((total, { length }) => total + length, 0)
  }
  const even = (batch: number) => (): Promise<number> =>
    decode(
      policy,
      { prompts: prompts.slice(0, batch), batchSize: batch },
      { maxNewTokens: shapes.newTokens, stopTokens: [] },
    )
  // The reference's weights stay those of the beginning, and with them the lengths.
  const uneven = (): Promise<number> =>
    decode(
      reference,
      { prompts, batchSize: shapes.uneven.batch },
      { maxNewTokens: shapes.uneven.newTokens, stopTokens: [...Array(shapes.uneven.stops).keys()] },
    )

  return {
    parameters: (await policy.describe()).parameters,
    work: {
      matmul: async () => {
        await backend.run({ executable: multiply, feeds: {}, states: [matrices] })
        return 0
      },
      sft: async () => {
        await policy.update({ ...step, objective: { use: 'sft', options: {} }, batches: sftBatches })
        return trained
      },
      dpo: () => dpoUpdate('shared', true),
      'dpo (reference precomputed)': () => dpoUpdate('shared', false),
      'dpo (two rows a pair)': () => dpoUpdate('separate', true),
      ...Object.fromEntries(shapes.decodeBatches.map((batch) => [`decode${batch}`, even(batch)])),
      'decode uneven': uneven,
    },
    close: async () => {
      await reference.close()
      await policy.close()
      await backend.close()
    },
  }
}
