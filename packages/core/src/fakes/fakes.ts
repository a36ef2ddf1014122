/** Small plugins in memory for the tests of the runner: a model of two weights that descends towards token ids. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Backend } from '../contracts/backend.js'
import type { Example } from '../contracts/data-source.js'
import type { ForestBatch } from '../contracts/batch.js'
import type { UpdateReport, UpdateRequest } from '../contracts/model.js'
import type { Policy } from '../contracts/policy.js'
import type { StepReport, TrainerContext } from '../contracts/trainer.js'
import { definePlugin } from '../define-plugin.js'
import { CollimateError } from '../errors.js'
import { uniform } from '../random.js'

/** What the fakes did, in order: `policy create`, `policy close`, ... One per test. */
export type Log = string[]

const about = { version: '0.1.0', engine: '^0.1.0', description: 'for tests' } as const
const unsupported = (verb: string) => async (): Promise<never> => {
  throw new Error(`the fake has no ${verb}`)
}

export function fakeBatch(ids: readonly number[]): ForestBatch {
  const tokens = Int32Array.from(ids)
  const none = new Int32Array(ids.length)
  return {
    ...{ rows: 1, width: ids.length, tokens, positions: none, segments: none, prompts: none },
    ...{ sources: none, targets: tokens, sequences: none, tokenMask: new Float32Array(ids.length).fill(1) },
    ...{ sequenceMask: Float32Array.of(1), sequenceCount: 1, ends: Int32Array.of(ids.length - 1) },
    ...{ tokenCount: ids.length, inputs: {} },
  }
}

function fakePolicy(log: Log): Policy {
  let weights = Float32Array.of(0.5, -0.25)
  let moments = Float32Array.of(0, 0)
  let version = 0
  const loss = (ids: Int32Array): number => ids.reduce((sum, id) => sum + (weights[0] - id / 10) ** 2, 0) / ids.length
  const policy: Policy = {
    describe: async () => ({
      ...{ architecture: 'fake', parameters: 2, vocabularySize: 11, contextLength: 16, outputs: ['logProbs'] },
      ...{ eosTokens: [0], tokenizer: { tokenizer: {}, config: {} }, version, weightsHash: String(weights) },
    }),
    outputs: unsupported('outputs'),
    async update({ batches: [batch], learningRate }): Promise<UpdateReport> {
      const gradient = batch.tokens.reduce((sum, id) => sum + 2 * (weights[0] - id / 10), 0) / batch.tokens.length
      const value = loss(batch.tokens)
      moments = moments.map((moment) => 0.9 * moment + 0.1 * gradient)
      weights = weights.map((weight, i) => weight - learningRate * moments[i])
      version++
      return {
        loss: value,
        metrics: {},
        microBatches: [],
        gradNorm: Math.abs(gradient),
        tokens: batch.tokenCount,
        version,
      }
    },
    evaluate: async ({ batches: [batch] }) => ({
      ...{ loss: loss(batch.tokens), metrics: {}, microBatches: [], gradNorm: 0, tokens: batch.tokenCount, version },
    }),
    snapshot: async () => ({
      version,
      optimizerSteps: version,
      tensors: {
        w: { dtype: 'float', shape: [2], data: weights.slice() },
        'adam.m.w': { dtype: 'float', shape: [2], data: moments.slice() },
      },
    }),
    async restore({ snapshot }) {
      weights = Float32Array.from(snapshot.tensors.w.data)
      moments = Float32Array.from(snapshot.tensors['adam.m.w'].data)
      version = snapshot.version
    },
    async save({ folder }) {
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'config.json'), '{}')
      await writeFile(join(folder, 'weights.json'), JSON.stringify([...weights]))
    },
    logProbs: unsupported('logProbs'),
    generate: unsupported('generate'),
    async reference() {
      log.push('reference create')
      const frozen = weights.slice()
      return {
        ...{ describe: policy.describe, outputs: policy.outputs, evaluate: policy.evaluate, generate: policy.generate },
        logProbs: async () => frozen,
        close: async () => void log.push('reference close'),
      }
    },
    close: async () => void log.push('policy close'),
  }
  return policy
}

const fakeBackend = (log: Log): Backend => ({
  capabilities: async () => ({ backend: 'fake', device: 'cpu', precision: 'float32' }),
  ...{ compile: unsupported('compile'), run: unsupported('run'), state: unsupported('state') },
  ...{ read: unsupported('read'), write: unsupported('write'), copy: unsupported('copy') },
  release: unsupported('release'),
  usage: async () => ({ executables: 0, states: 0, bytes: 0 }),
  close: async () => void log.push('backend close'),
})

/** The plugins of one test. */
export function fakes(log: Log = []) {
  const backend = definePlugin({
    ...{ ...about, name: 'fake', kind: 'backend', options: z.object({}) },
    create(_options, context) {
      log.push(`backend create${context.backend ? ' with a backend' : ''}`)
      return fakeBackend(log)
    },
  })

  const policy = definePlugin({
    ...{ ...about, name: 'fake', kind: 'policy' },
    options: z.object({
      model: z.string().default('none'),
      missing: z.boolean().default(false),
      head: z.string().optional(),
    }),
    create({ missing, head }) {
      if (missing) throw new CollimateError('COLLIMATE_MODEL_MISSING', 'there is no model')
      log.push(head === undefined ? 'policy create' : `policy create ${head}`)
      return fakePolicy(log)
    },
  })

  const data = definePlugin({
    ...{ ...about, name: 'fake', kind: 'data' },
    options: z.object({
      rows: z.number().default(10),
      held: z.number().default(0),
      dropped: z.number().default(0),
      train: z.string().optional(),
    }),
    create({ rows, held, dropped }) {
      const example = (index: number, offset: number): Example => ({
        ...{ index, prompt: Int32Array.of(offset), completions: [Int32Array.of((index % 7) + 1)], columns: {} },
        text: { prompt: '', completions: [''] },
      })
      return {
        async open(request) {
          log.push(`data open ${request.type} ${request.maxLength}`)
          return {
            train: { length: rows, fingerprint: 't' },
            ...(held > 0 && { evaluation: { length: held, fingerprint: 'e' } }),
            dropped: { identical: dropped },
          }
        },
        read: async ({ split, indices }) => indices.map((index) => example(index, split === 'train' ? 0 : 100)),
        close: async () => void log.push('data close'),
      }
    },
  })

  const trainer = definePlugin({
    ...{ ...about, name: 'fake', kind: 'trainer' },
    options: z.object({
      steps: z.number().optional(),
      epochs: z.number().default(2),
      rate: z.number().positive().default(0.1).describe('learning rate, default 0.1'),
      batchSize: z.number().default(4),
      shuffle: z.boolean().default(true),
      reference: z.boolean().default(false),
      reward: z.boolean().default(false),
      critic: z.boolean().default(false),
      failAt: z.number().default(-1),
      divergeAt: z.number().default(-1),
      slow: z.boolean().default(false),
      skip: z.boolean().default(false),
    }),
    create(options) {
      const { rate, steps, epochs, batchSize, shuffle, reference, reward, critic, divergeAt } = options
      // Something that the algorithm itself remembers: resuming must bring it back.
      let seen: number[] = []
      const step = async (context: TrainerContext, number: number): Promise<StepReport> => {
        const { policy, data, seed } = context
        if (number === divergeAt) throw new CollimateError('COLLIMATE_DIVERGED', 'the KL is 99 nats', { hint: 'less' })
        if (number === options.failAt)
          throw new CollimateError('COLLIMATE_NOT_FINITE', `the loss of step ${number} is NaN`)
        const examples = await data.next(batchSize)
        seen = [...seen, ...examples.map(({ index }) => index)].slice(-30)
        const request: UpdateRequest = {
          objective: { use: 'fake', options: {} },
          batches: [fakeBatch(examples.map(({ completions: [ids] }) => ids[0]))],
          optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
          learningRate: rate * (1 + uniform(seed, 9, number)),
          ...{ maxGradNorm: 1, metrics: true },
        }
        const { loss, tokens } = await policy.update(request)
        await context.critic?.update(request)
        const remembered = seen.reduce((sum, index, i) => sum + index * (i + 1), 0)
        return { step: options.skip ? number + 1 : number, metrics: { loss, remembered }, tokens }
      }
      return {
        plan: {
          ...{ dataset: 'prompt-completion', data: { maxLength: 64, truncation: 'keep_start' }, batchSize, shuffle },
          requires: { reference, reward, estimator: false, critic },
          guarded: divergeAt > 0,
          length: steps === undefined ? { epochs } : { steps },
        },
        async *steps(context) {
          try {
            for (let number = context.startStep + 1; number <= context.totalSteps; number++) {
              if (options.slow) await new Promise((resolve) => setTimeout(resolve, 5))
              yield await step(context, number)
            }
          } finally {
            log.push('trainer end')
          }
        },
        async evaluate({ policy, data }) {
          const indices = Array.from({ length: data.evaluationLength }, (_, i) => i)
          const examples = await data.read('evaluation', indices)
          const batches = [fakeBatch(examples.map(({ completions: [ids] }) => ids[0]))]
          const { loss } = await policy.evaluate({ objective: { use: 'fake', options: {} }, batches, metrics: false })
          return { eval_loss: { value: loss, count: examples.length } }
        },
        async completeModel({ policy }, saved) {
          await writeFile(join(saved.folder, 'completed'), String((await policy.describe()).version))
        },
        state: () => seen,
        restore: (state) => void (seen = z.array(z.number()).parse(state)),
      }
    },
  })

  const reward = definePlugin({
    ...{ ...about, name: 'fake', kind: 'reward', options: z.object({}) },
    create: () => ({
      score: async ({ rollouts }) => ({ granularity: 'sequence', scores: rollouts.map(() => Float64Array.of(1)) }),
      close: async () => void log.push('reward close'),
    }),
  })

  const evaluator = definePlugin({
    ...{ ...about, name: 'fake', kind: 'evaluator' },
    options: z.object({
      reference: z.boolean().default(false),
      during: z.boolean().default(false),
      gold: z.boolean().default(false),
      needs: z.string().optional(),
    }),
    create: ({ reference, during, gold, needs }, context) => ({
      during,
      requires: { reference, reward: true },
      async prepare() {
        if (needs !== undefined) await context.plugin('reward', needs)
      },
      async evaluate({ reward, reference: frozen, bus }) {
        if (gold) await context.plugin('reward', 'fake')
        const reply = await reward?.score({ rollouts: [] })
        log.push(`evaluate ${reply?.granularity} ${frozen !== undefined} ${bus.pending().length}`)
        return {
          metrics: { win_rate: { value: 0.6, low: 0.4, high: 0.8, count: 10 } },
          samples: [{ prompt: 'hello', completions: { policy: { text: 'hi', score: 1 } } }],
        }
      },
    }),
  })

  const tracker = definePlugin({
    ...{ ...about, name: 'fake', kind: 'tracker' },
    options: z.object({ broken: z.boolean().default(false) }),
    create: ({ broken }) => ({
      attach(bus) {
        if (broken) throw new Error('no screen')
        log.push('tracker attach')
        const disposers = [
          bus.on('phase.changed', ({ phase }) => void log.push(`phase ${phase}`)),
          bus.on('stage.changed', ({ stage, state }) => void log.push(`stage ${stage} ${state}`)),
        ]
        return () => disposers.forEach((dispose) => dispose())
      },
      close: async () => void log.push('tracker close'),
    }),
  })

  const plugins = [backend, policy, data, trainer, reward, evaluator, tracker]
  return { backend, policy, data, trainer, reward, evaluator, tracker, plugins }
}
