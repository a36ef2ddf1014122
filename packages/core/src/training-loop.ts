import type { Bus } from './bus.js'
import type { Measurement, Trainer, TrainerContext } from './contracts/trainer.js'
import { CollimateError } from './errors.js'

/** Between two steps: what the runner does there. */
export interface StepHooks {
  /** The policy's version after its last update. */
  version(): number
  /** Epochs that the data has been through, with fraction. */
  epoch(): number
  /** After every step, in order; a failure ends the run. */
  afterStep(step: number): Promise<void>
}

/** Drives a trainer to its last step, or to the first step boundary after the signal; gives the step that it came to. */
export async function trainingLoop(trainer: Trainer, context: TrainerContext, hooks: StepHooks): Promise<number> {
  const { bus, signal, totalSteps } = context
  let step = context.startStep
  let sampled = 0
  const stopCounting = bus.on('rollout.sampled', ({ rollouts }) => (sampled += rollouts.length))
  const steps = trainer.steps(context)
  try {
    while (step < totalSteps && !signal.aborted) {
      const startedAt = performance.now()
      sampled = 0
      const next = await steps.next()
      if (next.done) break
      const { step: reported, metrics, tokens } = next.value
      if (reported !== step + 1)
        throw new CollimateError('COLLIMATE_TRAINER_STEP', `the trainer reports step ${reported} after step ${step}`, {
          hint: 'a trainer reports steps one by one, from startStep + 1',
        })
      step = reported
      const seconds = (performance.now() - startedAt) / 1000
      // What depends on the clock is no business of the trainer's: TRL's `eps`, completions per second.
      const clocked: Record<string, number> = sampled > 0 ? { eps: sampled / seconds } : {}
      const logged = Object.keys(metrics).length > 0 ? { epoch: hooks.epoch(), ...clocked, ...metrics } : metrics
      bus.emit('metrics.logged', { step, totalSteps, metrics: logged, tokens, seconds })
      bus.emit('policy.updated', { step, version: hooks.version() })
      await hooks.afterStep(step)
    }
  } finally {
    stopCounting()
    // Lets the trainer's own `finally` run.
    await steps.return()
  }
  return step
}

/** Measures on the held-out split and tells it. */
export async function evaluateOn(
  trainer: Trainer,
  context: TrainerContext,
  step: number,
): Promise<Readonly<Record<string, Measurement>>> {
  const metrics = (await trainer.evaluate?.(context)) ?? {}
  tellEvaluation(context.bus, step, metrics)
  return metrics
}

export function tellEvaluation(bus: Bus, step: number, metrics: Readonly<Record<string, Measurement>>): void {
  if (Object.keys(metrics).length > 0) bus.emit('evaluation.finished', { step, metrics })
}
