import type { ModelOutput } from '@collimate/core'
import { gather, where, type Tensor } from '@collimate/graph'
import type { Architecture, ModelConfig } from '../architectures/architecture.js'
import { forestAttention } from './attention.js'
import { batchInputs, unitMasks, type BatchSizes } from './batch-inputs.js'
import { weightInputs } from './parameters.js'
import { isLanguageModelOutput, missingOutput, tokenOutputs } from './token-outputs.js'

export interface ModelProgramRequest {
  readonly architecture: Pick<Architecture, 'parameters' | 'trunk' | 'head'>
  readonly config: ModelConfig
  readonly sizes: BatchSizes
  /** Divides the logits; default 1. */
  readonly temperature?: number
  /** Replaces weights by expressions over them (an adapter); default the weights themselves. */
  readonly adapt?: (weights: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>
}

/** A causal language model over a forest batch, as expressions over feeds and weights. */
export interface ModelTensors {
  /** State inputs by their Hugging Face names. */
  readonly weights: Readonly<Record<string, Tensor>>
  readonly batch: ReturnType<typeof batchInputs>
  readonly unitMask: ReturnType<typeof unitMasks>
  /** A model output [T]; 0 at padding, whose gradient ends there. Throws COLLIMATE_OUTPUT_MISSING for one that it lacks. */
  output(name: ModelOutput): Tensor
}

export function modelTensors(request: ModelProgramRequest): ModelTensors {
  const { architecture, config, sizes, temperature } = request
  const weights = weightInputs(architecture.parameters(config))
  const adapted = request.adapt?.(weights) ?? weights
  const batch = batchInputs(sizes)
  const unitMask = unitMasks(batch)
  const rows = architecture.trunk(config, adapted, {
    tokens: batch.tokens,
    positions: batch.positions,
    attention: forestAttention(config, batch),
    // Positions count within a row.
    positionLimit: sizes.width,
  })
  const outputs = tokenOutputs({
    hidden: gather(rows, batch.sources),
    head: architecture.head(config, adapted),
    targets: batch.targets,
    ...(temperature === undefined ? {} : { temperature }),
  })
  return {
    weights,
    batch,
    unitMask,
    output(name) {
      if (!isLanguageModelOutput(name)) throw missingOutput(name)
      return where(unitMask('tokens'), outputs[name], 0)
    },
  }
}
