import { createBus } from '@collimate/core'
import type {
  Backend,
  Plugin,
  Policy,
  Reference,
  StepReport,
  Trainer,
  TrainerContext,
  TrainingData,
} from '@collimate/core'
import { interpreter } from '@collimate/backend-interpreter'
import { onnx } from '@collimate/backend-onnx'
import { tfjs } from '@collimate/backend-tfjs'
import { transformer } from '@collimate/policy-transformer'
import { dpo } from '@collimate/trainer-dpo'
import { reward } from '@collimate/trainer-reward'
import { sft } from '@collimate/trainer-sft'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tracesFolder } from './trace.js'
import type { Trace } from './trace.js'

const backends = { interpreter, onnx, tfjs }

/** What a trainer is run with: its context, and a count of the batches that the reference was asked for. */
export interface Setting {
  readonly trainer: Trainer
  readonly context: TrainerContext & { readonly policy: Policy; readonly reference: Reference }
  readonly referenceRuns: () => number
}

/**
 * Gives `work` the trainer of a trace with TRL's settings (and `options` in their place), the base model of the traces as
 * policy and reference, and the trace's examples in their order; frees everything afterwards.
 */
export async function withSetting<Result>(
  trace: Trace,
  backend: Backend,
  options: { readonly [option: string]: unknown; readonly cacheFolder?: string },
  work: (setting: Setting) => Promise<Result>,
): Promise<Result> {
  const bus = createBus()
  const { signal } = new AbortController()
  const { cacheFolder: given, ...others } = options
  const cacheFolder = given ?? (await mkdtemp(join(tmpdir(), 'collimate-trace-')))
  const isReward = trace.name.startsWith('reward')
  const plugin = (trace.name.startsWith('dpo') ? dpo : isReward ? reward : sft) as Plugin
  const pluginContext = {
    bus,
    backend,
    seed: 0,
    signal,
    path: (relative: string) => join(tracesFolder, relative),
    objective: ({ options }: { options: unknown }) =>
      create(plugin.definition.brings?.[0] as Plugin<'objective'>, options),
  }
  const create = async <Made>(plugin: Plugin, options: unknown) =>
    (await plugin.definition.create(plugin.definition.options.parse(options) as never, pluginContext as never)) as Made

  const policy = await create<Policy>(transformer as Plugin, {
    model: isReward ? 'base-llama-reward' : 'base-llama',
  })
  const reference = await policy.reference()
  let referenceRuns = 0
  const settings = { ...optionsOf(trace), ...others }
  try {
    return await work({
      trainer: await create<Trainer>(plugin, settings),
      referenceRuns: () => referenceRuns,
      context: {
        bus,
        policy,
        reference: { ...reference, logProbs: (request) => (referenceRuns++, reference.logProbs(request)) },
        data: dataOf(trace),
        totalSteps: settings.steps,
        startStep: 0,
        seed: 0,
        cacheFolder,
        signal,
      },
    })
  } finally {
    await reference.close()
    await policy.close()
    if (given === undefined) await rm(cacheFolder, { recursive: true, force: true })
  }
}

export async function withBackend<Result>(
  name: keyof typeof backends,
  work: (backend: Backend) => Promise<Result>,
  options: object = {},
): Promise<Result> {
  const { definition } = backends[name]
  const backend = await definition.create(definition.options.parse(options) as never, {} as never)
  try {
    return await work(backend)
  } finally {
    await backend.close()
  }
}

export async function collect(steps: AsyncGenerator<StepReport>): Promise<StepReport[]> {
  const lines: StepReport[] = []
  for await (const line of steps) lines.push(line)
  return lines
}

/** TRL's settings under our names. */
function optionsOf({ name, settings }: Trace) {
  return {
    learningRate: settings.learning_rate,
    schedule: settings.lr_scheduler_type,
    warmupSteps: settings.warmup_steps,
    weightDecay: settings.weight_decay,
    maxLength: settings.max_length,
    microBatchSize: settings.per_device_train_batch_size,
    batchSize: settings.per_device_train_batch_size * settings.gradient_accumulation_steps,
    steps: settings.max_steps,
    loggingSteps: 1,
    shuffle: false,
    ...(name.startsWith('dpo') && { beta: settings.beta, loss: settings.loss_type?.[0] ?? 'sigmoid' }),
    ...(name.includes('packing') && { packing: 'bfd' }),
  }
}

/** The examples in their order, for training and held out alike. */
function dataOf({ microBatches, trainLength }: Trace): TrainingData {
  const examples = microBatches.flat()
  let consumed = 0
  return {
    trainLength,
    trainFingerprint: 'trace',
    evaluationLength: trainLength,
    evaluationFingerprint: 'held out',
    next: async (count) => examples.slice(consumed, (consumed += count)),
    read: async (_, indices) => indices.map((index) => examples[index]),
  }
}
