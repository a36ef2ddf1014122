import { assemble, serveReference } from './assemble.js'
import type { Assembly } from './assemble.js'
import type { Bus } from './bus.js'
import type { Checkpoint } from './checkpoint.js'
import type { Closing } from './closing.js'
import type { DataInfo } from './contracts/data-source.js'
import type { ModelDescription } from './contracts/model.js'
import type { TrainerContext } from './contracts/trainer.js'
import { CollimateError } from './errors.js'
import type { Registry } from './registry.js'
import type { ResolvedExperiment } from './resolve-experiment.js'
import type { StopControl } from './stop-control.js'
import { orderedData, stepsOf } from './training-data.js'
import type { OrderedData } from './training-data.js'

/** A run that can begin. */
export interface Prepared {
  readonly assembly: Assembly
  readonly context: TrainerContext
  readonly data: OrderedData
}

/** Makes the plugins, reads the data, freezes the reference, goes back to the checkpoint. Writes nothing. */
export async function prepare(
  experiment: ResolvedExperiment,
  surroundings: { bus: Bus; registry: Registry; control: StopControl; checkpoint: Checkpoint | undefined },
  closing: Closing,
): Promise<Prepared> {
  const { bus, checkpoint } = surroundings
  const { signal } = surroundings.control
  const { seed } = experiment
  bus.emit('phase.changed', { phase: 'loading' })
  const assembly = await assemble(experiment, { ...surroundings, signal, closing })
  const { trainer, evaluators, policy, reward, estimator, critic } = assembly
  const { plan } = trainer

  const info = await openData(assembly, await policy.describe(), bus, seed)
  const canEvaluate = trainer.evaluate !== undefined || evaluators.some(({ during }) => during === true)
  if ((experiment.evaluateEvery || experiment.evaluateAtStart) && !(canEvaluate && info.evaluation?.length))
    throw new CollimateError('COLLIMATE_EXPERIMENT_UNUSED', '"evaluateEvery" or "evaluateAtStart" without evaluation', {
      hint: 'give the data a held-out split (data: { evaluate: 0.1 }), or remove the option',
    })
  for (const evaluator of evaluators) await evaluator.prepare?.()
  const wantsReference = plan.requires.reference || evaluators.some(({ requires }) => requires.reference)
  // Frozen before anything is restored: the reference is the policy as it was before training.
  const reference = wantsReference ? await serveReference(policy, bus, closing) : undefined
  if (checkpoint) {
    await policy.restore({ snapshot: checkpoint.policy })
    if (critic && checkpoint.critic) await critic.restore({ snapshot: checkpoint.critic })
    trainer.restore(checkpoint.trainer)
  }
  const { shuffle, length, batchSize } = plan
  const data = orderedData(assembly.data, info, { seed, shuffle, consumed: checkpoint?.consumed ?? 0 })
  const context: TrainerContext = {
    ...{ bus, policy, reference, reward, estimator, critic, data, seed, signal },
    cacheFolder: experiment.cacheFolder,
    totalSteps: stepsOf(length, data.trainLength, batchSize),
    startStep: checkpoint?.step ?? 0,
  }
  return { assembly, context, data }
}

async function openData(
  { trainer: { plan }, data }: Assembly,
  model: ModelDescription,
  bus: Bus,
  seed: number,
): Promise<DataInfo> {
  if (!model.tokenizer)
    throw new CollimateError('COLLIMATE_MODEL_WITHOUT_TOKENIZER', 'the model folder has no tokenizer.json', {
      hint: 'copy tokenizer.json and tokenizer_config.json of the model into its folder',
    })
  const wanted = plan.data.maxLength
  const maxLength = Math.min(wanted ?? model.contextLength, model.contextLength)
  if (wanted !== null && wanted > maxLength)
    bus.emit('warning.raised', {
      code: 'COLLIMATE_MAX_LENGTH_REDUCED',
      message: `maxLength is ${wanted} tokens, the model takes ${maxLength}: longer sequences are ${plan.data.truncation === 'drop' ? 'left out' : 'cut there'}`,
    })
  const info = await data.open({ ...plan.data, type: plan.dataset, tokenizer: model.tokenizer, maxLength, seed })
  const dropped = Object.entries(info.dropped).filter(([, count]) => count > 0)
  if (dropped.length > 0)
    bus.emit('warning.raised', {
      code: 'COLLIMATE_DATA_DROPPED',
      message: `rows left out: ${dropped.map(([reason, count]) => `${count} ${reason}`).join(', ')}`,
    })
  if (info.train.length === 0)
    throw new CollimateError('COLLIMATE_DATA_EMPTY', 'no example is left to train on', {
      hint: dropped.length > 0 ? 'see why rows were left out' : 'give more data, or hold out less',
    })
  return info
}
