import { mkdir } from 'node:fs/promises'
import { relative } from 'node:path'
import { attachTrackers } from './assemble.js'
import type { Assembly } from './assemble.js'
import type { Bus } from './bus.js'
import { readCheckpoint, writeCheckpoint } from './checkpoint.js'
import type { Checkpoint } from './checkpoint.js'
import { createClosing } from './closing.js'
import type { Closing } from './closing.js'
import type { Measurement, TrainerContext } from './contracts/trainer.js'
import { environment } from './environment.js'
import { CollimateError, errorLine } from './errors.js'
import { keepLastGood } from './last-good.js'
import { readManifest, thisProcess } from './manifest.js'
import type { Manifest } from './manifest.js'
import { measureResources } from './measure-resources.js'
import { prepare } from './prepare.js'
import type { Prepared } from './prepare.js'
import type { Registry } from './registry.js'
import type { ResolvedExperiment } from './resolve-experiment.js'
import { checkpointFile, checkpointFolder, claimOutput, criticFolder, recordRun } from './run-folder.js'
import type { Recorder } from './run-folder.js'
import { isStop } from './stop-control.js'
import type { StopControl } from './stop-control.js'
import { evaluateOn, tellEvaluation, trainingLoop } from './training-loop.js'

/** What came of a run. */
export interface RunResult {
  readonly name: string
  readonly status: 'done' | 'stopped'
  /** The run folder. */
  readonly folder: string
  /** Where the model was saved; absent where the run was stopped before its first step. */
  readonly modelFolder: string | undefined
  readonly steps: number
  readonly totalSteps: number
  /** The last evaluation on the held-out split, and what the evaluators measured. */
  readonly metrics: Readonly<Record<string, Measurement>>
  readonly seconds: number
}

export interface RunSurroundings {
  readonly bus: Bus
  readonly registry: Registry
  readonly control: StopControl
  /** Go on from the checkpoint of the run folder. */
  readonly resume: boolean
  /** Called when the trackers listen, before anything else is told. */
  readonly attached?: () => void
}

/**
 * Makes a run of an experiment. Everything that can be wrong with the input is found before the run folder is made; at
 * the end, whatever happened, every plugin is closed in reverse order and nobody serves or listens any more.
 */
export async function runExperiment(experiment: ResolvedExperiment, surroundings: RunSurroundings): Promise<RunResult> {
  const { bus, control } = surroundings
  const closing = createClosing()
  const recorder = recordRun(bus)
  const startedAt = performance.now()
  try {
    const body = runBody(experiment, surroundings, closing, recorder, startedAt)
    return await Promise.race([body, control.killed])
  } catch (error) {
    try {
      recorder.update({ status: 'failed', error: errorLine(error), finishedAt: now() })
    } catch {
      // The first failure is the one to tell; a full disk fails here too.
    }
    throw error
  } finally {
    for (const failure of await closing.close())
      bus.emit('warning.raised', { code: 'COLLIMATE_CLOSE_FAILED', message: errorLine(failure) })
    recorder.end()
  }
}

const now = (): string => new Date().toISOString()

async function runBody(
  experiment: ResolvedExperiment,
  surroundings: RunSurroundings,
  closing: Closing,
  recorder: Recorder,
  startedAt: number,
): Promise<RunResult> {
  const { bus, control, resume } = surroundings
  const { signal } = control
  const { name, output } = experiment
  const heldBefore = process.memoryUsage().rss
  await closing.add(claimOutput(output, experiment.modelFolder))
  const checkpoint = resume ? await resumable(experiment) : undefined

  const result = (status: RunResult['status'], rest: Partial<RunResult>): RunResult => ({
    ...{ name, status, folder: output, modelFolder: undefined, steps: 0, totalSteps: 0, metrics: {}, ...rest },
    seconds: (performance.now() - startedAt) / 1000,
  })

  await attachTrackers(experiment, { ...surroundings, signal, closing })
  surroundings.attached?.()
  let prepared: Prepared
  try {
    prepared = await prepare(experiment, { ...surroundings, checkpoint }, closing)
    signal.throwIfAborted()
  } catch (error) {
    if (isStop(error, signal)) return result('stopped', {})
    throw error
  }
  const { assembly, context, data } = prepared
  const { trainer, policy, critic } = assembly
  const { totalSteps } = context
  const held = context.reference
    ? [...assembly.models, { role: 'reference', model: context.reference }]
    : assembly.models
  const meter = measureResources(bus, assembly.backend, held, heldBefore)
  await closing.add(meter.end)
  const manifest: Manifest = {
    ...{ format: 1, name, status: 'running', configHash: experiment.hash, process: thisProcess() },
    ...{ startedAt: now(), steps: context.startStep, totalSteps },
  }
  recorder.begin({
    ...{ folder: output, config: experiment.config, manifest, resumeStep: checkpoint?.step },
    environment: environment(experiment.folder, experiment.versions, await assembly.backend.capabilities()),
  })

  let version = (await policy.describe()).version
  const unwrap = bus.wrap('policy.update', async (request, next) => {
    const report = await next(request)
    version = report.version
    return report
  })
  await closing.add(unwrap)

  const phase = (name: string): void => bus.emit('phase.changed', { phase: name })
  const saveCheckpoint = async (step: number): Promise<void> => {
    await mkdir(checkpointFolder(output), { recursive: true })
    await writeCheckpoint(checkpointFile(output), {
      ...{ step, consumed: data.consumed(), trainer: trainer.state(), policy: await policy.snapshot() },
      ...(critic && { critic: await critic.snapshot() }),
    })
    recorder.update({ steps: step })
    bus.emit('checkpoint.saved', { step, folder: checkpointFolder(output) })
  }
  const canEvaluate = data.evaluationLength > 0
  /** What the trainer measures, and the evaluators that measure during training. */
  const evaluate = async (step: number): Promise<Readonly<Record<string, Measurement>>> => {
    phase('evaluating')
    const measured = await evaluateOn(trainer, context, step)
    return step === totalSteps ? measured : { ...measured, ...(await askEvaluators('during', step)) }
  }
  const askEvaluators = (when: 'during' | 'end', step: number) =>
    evaluatorsOf(experiment, assembly, context, step, when)
  const measure = async (): Promise<void> => {
    const resources = await meter.read()
    bus.emit('resources.measured', resources)
    recorder.update({ resources })
  }
  const lastGood = trainer.plan.guarded ? await keepLastGood(policy, critic, context.startStep) : undefined

  /** False where the user's stop cut it short. */
  const unlessStopped = async (act: () => Promise<void>): Promise<boolean> => {
    try {
      await act()
    } catch (error) {
      if (!isStop(error, signal)) throw error
    }
    return !signal.aborted
  }

  let step = context.startStep
  const train = async (): Promise<void> => {
    if (experiment.evaluateAtStart && step === 0) await evaluate(0)
    phase('training')
    step = await trainingLoop(trainer, context, {
      version: () => version,
      epoch: () => data.consumed() / data.trainLength,
      async afterStep(done) {
        step = done
        recorder.check()
        await meter.afterStep()
        if (done === context.startStep + 1) await measure()
        await lastGood?.afterStep(done)
        if (experiment.checkpointEvery && done % experiment.checkpointEvery === 0) await saveCheckpoint(done)
        if (experiment.evaluateEvery && done % experiment.evaluateEvery === 0 && done < totalSteps) {
          await evaluate(done)
          phase('training')
        }
      },
    })
  }
  let modelFolder: string | undefined
  const saveModel = async (): Promise<void> => {
    modelFolder = experiment.modelFolder
    await policy.save({ folder: modelFolder })
    await trainer.completeModel?.(context, { folder: modelFolder })
    await critic?.save({ folder: criticFolder(output) })
    bus.emit('model.saved', { folder: modelFolder })
  }
  let finished = await unlessStopped(train).catch(async (error: unknown) => {
    if (!hasDiverged(error) || step === 0) throw error
    // What was good is saved before the failure is told. An update that is not finite has changed nothing; but a trainer that is
    // guarded may have made others in the same step, or find only now what the step before has done.
    const goodStep = lastGood ? await lastGood.restore() : step
    if (goodStep === 0) throw error
    phase('saving')
    await saveModel()
    recorder.update({ steps: goodStep, modelFolder: relative(output, experiment.modelFolder) })
    throw new CollimateError(error.code, `${error.message}; the policy of step ${goodStep} is saved`, {
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error,
    })
  })

  if (step > 0) {
    phase('saving')
    if (!finished) await saveCheckpoint(step)
    await saveModel()
  }
  const metrics: Record<string, Measurement> = {}
  if (finished) {
    finished = await unlessStopped(async () => {
      if (canEvaluate) Object.assign(metrics, await evaluate(step))
      Object.assign(metrics, await askEvaluators('end', step))
    })
    if (!finished) await saveCheckpoint(step)
  }

  if (step > context.startStep) await measure()
  phase('done')
  recorder.check()
  const status = finished ? 'done' : 'stopped'
  recorder.update({
    ...{ status, steps: step, metrics, finishedAt: now() },
    ...(modelFolder && { modelFolder: relative(output, modelFolder) }),
  })
  return result(status, { modelFolder, steps: step, totalSteps, metrics })
}

/** Whether training has gone where no further step helps. */
function hasDiverged(error: unknown): error is CollimateError {
  return error instanceof CollimateError && ['COLLIMATE_DIVERGED', 'COLLIMATE_NOT_FINITE'].includes(error.code)
}

/** What the evaluators say about the policy: at the end all of them, during training those that measure then. */
async function evaluatorsOf(
  experiment: ResolvedExperiment,
  { evaluators }: Assembly,
  context: TrainerContext,
  step: number,
  when: 'during' | 'end',
): Promise<Readonly<Record<string, Measurement>>> {
  const all: Record<string, Measurement> = {}
  for (const [i, evaluator] of evaluators.entries()) {
    if (when === 'during' && evaluator.during !== true) continue
    const { name } = experiment.evaluators[i].plugin.definition
    context.bus.emit('phase.changed', { phase: 'evaluating', detail: name })
    const { metrics, samples } = await evaluator.evaluate(context)
    tellEvaluation(context.bus, step, metrics)
    for (const sample of samples) context.bus.emit('sample.shown', { step, sample })
    Object.assign(all, metrics)
  }
  return all
}

/** The checkpoint of the run folder, if it is one of this very experiment. */
async function resumable({ output, hash }: ResolvedExperiment): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(checkpointFile(output))
  if (readManifest(output)?.configHash === hash) return checkpoint
  throw new CollimateError(
    'COLLIMATE_RESUME_CHANGED',
    `${output} was made with another config, other versions or files`,
    {
      hint: 'resume with what config.json there says, or start anew',
    },
  )
}
