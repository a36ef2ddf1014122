import type { Measurement, TrainerContext } from './trainer.js'

/** One prompt with what was answered before and after training. */
export interface Sample {
  readonly prompt: string
  /** Completion by who gave it, e.g. `reference`, `policy`. */
  readonly completions: Readonly<Record<string, { readonly text: string; readonly score?: number }>>
}

/** Measures a trained policy, after training: win rates, rewards, samples. */
export interface Evaluator {
  /** Asked at every evaluation during training too (`evaluateEvery`, `evaluateAtStart`); default only at the end. */
  readonly during?: boolean
  /** `reference` needs the policy as it was before training. */
  readonly requires: { readonly reference: boolean; readonly reward: boolean }
  /** Called once before training, when backend and models are there: what it lacks for measuring is said now, not at the end. */
  prepare?(): Promise<void>
  evaluate(context: TrainerContext): Promise<{
    readonly metrics: Readonly<Record<string, Measurement>>
    readonly samples: readonly Sample[]
  }>
}
