import type { ForestBatch } from './batch.js'
import type { ModelOutput, ObjectiveUse } from './objective.js'
import type { HostTensor } from './program.js'

/** Tokenizer files as they lie in a model folder, parsed; `@collimate/data` makes a tokenizer of them. */
export interface TokenizerFiles {
  /** Content of tokenizer.json. */
  readonly tokenizer: Readonly<Record<string, unknown>>
  /**
   * Content of tokenizer_config.json, with two other files folded in: special_tokens_map.json fills what it leaves out,
   * chat_template.jinja stands before its `chat_template`.
   */
  readonly config: Readonly<Record<string, unknown>>
}

export interface ModelDescription {
  /** Model type as in config.json: `llama`, `gpt2`. */
  readonly architecture: string
  readonly parameters: number
  readonly vocabularySize: number
  /** Longest sequence that the model accepts, tokens. */
  readonly contextLength: number
  readonly outputs: readonly ModelOutput[]
  readonly bosToken?: number
  /** All tokens that end a completion. */
  readonly eosTokens: readonly number[]
  readonly tokenizer?: TokenizerFiles
  /** Counts updates since creation; stamped on every sample. */
  readonly version: number
  /** Hash of the weights (hex), equal for equal weights: part of the key of cached log-probs. */
  readonly weightsHash: string
}

/** Decoupled weight decay, Loshchilov and Hutter, arXiv 1711.05101; decay touches matrices, not gains and biases. */
export interface AdamWOptions {
  readonly name: 'adamw'
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
}

export interface UpdateRequest {
  readonly objective: ObjectiveUse
  /** The micro-batches of one optimiser step. How an optimiser batch is split among them does not change the gradient. */
  readonly batches: readonly ForestBatch[]
  readonly optimizer: AdamWOptions
  readonly learningRate: number
  /** Global L2 norm that the gradient is clipped to: multiplied by min(1, maxGradNorm / (norm + 1e-6)); 0 = no clipping. */
  readonly maxGradNorm: number
  /** Compute the objective's metrics too (they cost a few passes over the logits). */
  readonly metrics: boolean
  /** Divides the logits, in the loss and in the metrics: that of the samples, where the objective is about samples. Default 1. */
  readonly temperature?: number
}

/** A mean as its sum and count, so that parts of a batch can be put together again; an extreme as a sum of count 1. */
export interface WeightedMean {
  readonly sum: number
  readonly count: number
}

export interface UpdateReport {
  /** Value of the whole loss over all micro-batches. */
  readonly loss: number
  readonly metrics: Readonly<Record<string, WeightedMean>>
  /** Loss and metrics of each micro-batch by itself, in order. */
  readonly microBatches: readonly { readonly loss: number; readonly metrics: Readonly<Record<string, WeightedMean>> }[]
  /** L2 norm of the whole gradient before clipping; 0 where nothing was differentiated. */
  readonly gradNorm: number
  /** What the loss was multiplied by while it was differentiated, where that follows the gradients. */
  readonly lossScale?: number
  /** Tokens of the rows that were not padding. */
  readonly tokens: number
  /** The model's version after the update. */
  readonly version: number
}

/** What the loss is multiplied by before it is differentiated, so that small gradients do not vanish in float16. */
export interface LossScale {
  readonly scale: number
  /** Optimiser steps since it last changed. */
  readonly steadySteps: number
}

/** Weights, optimiser state and counters: enough to go on in the same bits on the same backend. */
export interface ModelSnapshot {
  readonly version: number
  /** Optimiser steps taken. */
  readonly optimizerSteps: number
  /** Where it follows the gradients. */
  readonly lossScale?: LossScale
  /** Weights under their Hugging Face names, moments under `adam.m.NAME` and `adam.v.NAME`. */
  readonly tensors: Readonly<Record<string, HostTensor>>
}

/** What a policy, a reward model and a critic have in common. */
export interface Model {
  describe(): Promise<ModelDescription>
  /**
   * Outputs for a batch: per scored token [T], `scores` per sequence [N]; padding slots hold 0.
   * `temperature` divides the logits (default 1). An output that the model does not have (`ModelDescription.outputs`) is
   * refused with COLLIMATE_OUTPUT_MISSING.
   */
  outputs(request: {
    batch: ForestBatch
    names: readonly ModelOutput[]
    temperature?: number
  }): Promise<Partial<Record<ModelOutput, Float32Array | Float64Array>>>
  /** One optimiser step. A loss or gradient that is not finite is refused with COLLIMATE_NOT_FINITE and changes nothing. */
  update(request: UpdateRequest): Promise<UpdateReport>
  /** The report of an update, without the update. */
  evaluate(request: Pick<UpdateRequest, 'objective' | 'batches' | 'metrics' | 'temperature'>): Promise<UpdateReport>
  snapshot(): Promise<ModelSnapshot>
  restore(request: { snapshot: ModelSnapshot }): Promise<void>
  /** Writes a Hugging Face folder (config.json, safetensors, tokenizer files); all of it or nothing. */
  save(request: { folder: string }): Promise<void>
  close(): Promise<void>
}

export const modelVerbs = ['describe', 'outputs', 'update', 'evaluate', 'snapshot', 'restore', 'save', 'close'] as const
