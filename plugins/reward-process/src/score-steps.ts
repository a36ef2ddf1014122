import type { Steps } from './steps.js'

/** What several completions get for their steps. */
export interface StepScores {
  /** For each completion a number per step. */
  readonly scores: readonly Float64Array[]
  /** [n] what they are made of, by name. */
  readonly parts?: Readonly<Record<string, Float64Array>>
}

export type ScoreSteps = (all: readonly Steps[]) => Promise<StepScores>
