import type { PromptCompletions } from './mathematics/frontier.js'

/** The answers of one model to the prompts of all. */
export interface MeasuredModel {
  /** Position of its run; absent for a reference that no run has made. */
  readonly run?: number
  /** For people. */
  readonly name: string
  /** Key of the model that its KL is measured to; equal keys, equal models. */
  readonly reference: string
  /** It is its own reference. */
  readonly isReference: boolean
  /** [prompts] by the names of rewards; those that are known for this model. */
  readonly scores: Readonly<Record<string, Float64Array>>
  /** [prompts] Σ_t log π/π_ref, nats. */
  readonly kl: Float64Array
  /** [prompts] tokens. */
  readonly lengths: Float64Array
  /** [prompts] 1 where an answer was cut. */
  readonly cut: Float64Array
  readonly texts: readonly string[]
}

/** What models were measured for a comparison, all on the same prompts with the same random numbers. */
export interface Measured {
  readonly prompts: readonly string[]
  readonly maxNewTokens: number
  readonly temperature: number
  readonly topP: number
  readonly seed: number
  readonly models: readonly MeasuredModel[]
  readonly frontier?: FrontierSamples
}

/** What the frontier is estimated from, and best-of-n. */
export interface FrontierSamples {
  /** Samples of the reference alone. */
  readonly reference: readonly PromptCompletions[]
  /** Those and samples of trained policies, weighted back to the reference. */
  readonly mixture: readonly PromptCompletions[]
  /** Of each policy. */
  readonly samplesPerPrompt: number
  /** Names of the trained policies that were sampled too. */
  readonly policies: readonly string[]
}
