import { createBus } from '@collimate/core'
import type {
  Backend,
  Policy,
  Plugin,
  StepReport,
  Trainer,
  TrainerContext,
  TrainingData,
  UpdateReport,
  UpdateRequest,
} from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { transformer } from '@collimate/policy-transformer'
import { dpo } from '@collimate/trainer-dpo'
import { sft } from '@collimate/trainer-sft'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tracesFolder } from './trace.js'
import type { Trace } from './trace.js'

/** What a replay leaves behind: per step the line logged, and the update as it was asked of the policy and answered. */
export interface Replay {
  readonly steps: readonly {
    readonly line: StepReport
    readonly report: UpdateReport
    /** Metrics of TRL's micro-batches, where a step has several: TRL averages over them without weights. */
    readonly microBatches: readonly UpdateReport[]
  }[]
  readonly weights: Readonly<Record<string, ArrayLike<number>>>
  /** Batches asked of the reference. */
  readonly referenceRuns: number
}

/** Runs the trainer of a trace with TRL's settings on the trace's examples in their order. */
export async function replay(trace: Trace, backend: Backend): Promise<Replay> {
  const bus = createBus()
  const cacheFolder = await mkdtemp(join(tmpdir(), 'collimate-trace-'))
  const context = {
    bus,
    backend,
    seed: 0,
    signal: new AbortController().signal,
    path: (relative: string) => join(tracesFolder, relative),
    objective: async ({ use, options }: UpdateRequest['objective']) => {
      const [plugin] = (use === 'sft' ? sft : dpo).definition.brings as Plugin<'objective'>[]
      return plugin.definition.create(plugin.definition.options.parse(options), context)
    },
  }
  const create = <Made>(plugin: Plugin, options: unknown) =>
    plugin.definition.create(plugin.definition.options.parse(options) as never, context) as Made | Promise<Made>

  const policy = await create<Policy>(transformer as Plugin, { model: 'base-llama' })
  const reference = await policy.reference()
  try {
    const trainer = await create<Trainer>((trace.name.startsWith('dpo') ? dpo : sft) as Plugin, trainerOptions(trace))
    const updates: Omit<Replay['steps'][number], 'line'>[] = []
    let referenceRuns = 0
    const trainerContext: TrainerContext = {
      bus,
      policy: {
        ...policy,
        async update(request) {
          const { objective } = request
          const size = trace.settings.gradient_accumulation_steps
          const parts = size === 1 ? [] : trace.microBatches.slice(updates.length * size, (updates.length + 1) * size)
          const microBatches: UpdateReport[] = []
          for (const part of parts)
            microBatches.push(await policy.evaluate({ objective, batches: [forestBatch(part)], metrics: true }))
          const report = await policy.update(request)
          updates.push({ report, microBatches })
          return report
        },
      },
      reference: { ...reference, outputs: (request) => (referenceRuns++, reference.outputs(request)) },
      data: dataOf(trace),
      totalSteps: trace.settings.max_steps,
      startStep: 0,
      seed: 0,
      cacheFolder,
      signal: context.signal,
    }
    const lines: StepReport[] = []
    for await (const line of trainer.steps(trainerContext)) lines.push(line)
    const { tensors } = await policy.snapshot()
    const weights = Object.entries(tensors).filter(([name]) => !name.startsWith('adam.'))
    return {
      steps: lines.map((line, step) => ({ line, ...updates[step] })),
      weights: Object.fromEntries(weights.map(([name, { data }]) => [name, data])),
      referenceRuns,
    }
  } finally {
    await reference.close()
    await policy.close()
    await rm(cacheFolder, { recursive: true, force: true })
  }
}

/** TRL's settings under our names. */
function trainerOptions({ name, settings }: Trace) {
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
    ...(name.startsWith('dpo') && { beta: settings.beta }),
    ...(name.includes('packing') && { packing: 'bfd' }),
  }
}

function dataOf({ microBatches, trainLength }: Trace): TrainingData {
  const examples = microBatches.flat()
  let consumed = 0
  return {
    trainLength,
    trainFingerprint: 'trace',
    evaluationLength: 0,
    evaluationFingerprint: '',
    next: async (count) => examples.slice(consumed, (consumed += count)),
    read: async (_, indices) => indices.map((index) => examples[index]),
  }
}
