import type { ForestBatch } from './batch.js'
import { modelVerbs } from './model.js'
import type { Model } from './model.js'

export interface Sampling {
  /** Most tokens to sample for one completion. */
  readonly maxNewTokens: number
  /** Divides the logits; 0 = greedy. */
  readonly temperature: number
  /** Keep the k most likely tokens, ties of the k-th included; absent = all. */
  readonly topK?: number
  /** Keep the smallest set of most likely tokens whose probability reaches p, at least one; absent = all. */
  readonly topP?: number
  /** Tokens that end a completion; the ending token is part of it. Default: the model's. */
  readonly stopTokens?: readonly number[]
  /** Seed of the counter-based generator. */
  readonly seed: number
}

export interface GenerateRequest {
  readonly prompts: readonly Int32Array[]
  readonly sampling: Sampling
  /** Random stream of each prompt; default its index. With the seed it fixes the sample, however prompts are batched. */
  readonly streams?: readonly number[]
  /** Rows that are decoded together; default chosen by the policy. Changes speed, not samples. */
  readonly batchSize?: number
}

export interface Generation {
  readonly completions: readonly Int32Array[]
  /** log π of each sampled token at the sampling temperature (1 where that is 0), before top-k and top-p. */
  readonly logProbs: readonly Float32Array[]
  /** `stop`: ended by a stop token; `length`: cut at maxNewTokens or the context. */
  readonly endedBy: readonly ('stop' | 'length')[]
  /** Version of the policy that sampled. */
  readonly version: number
  readonly temperature: number
}

/** A frozen policy: it computes and samples, it has no `update`. */
export interface Reference extends Pick<Model, 'describe' | 'outputs' | 'evaluate' | 'close'> {
  /** [T] log-probabilities of the scored tokens. */
  logProbs(request: { batch: ForestBatch; temperature?: number }): Promise<Float32Array | Float64Array>
  generate(request: GenerateRequest): Promise<Generation>
}

/** A language model that can be sampled and trained. */
export interface Policy extends Model, Reference {
  /** The policy as it is now, frozen. Weights are copied only when the policy changes. */
  reference(): Promise<Reference>
}

export const referenceVerbs = ['describe', 'outputs', 'evaluate', 'logProbs', 'generate', 'close'] as const
/** `reference` is not among them: the registry serves it under a role of its own. */
export const policyVerbs = [...modelVerbs, 'logProbs', 'generate'] as const
