import type { ModelOutput } from '@collimate/core'
import { gather, matmul, reshape, where, type Tensor } from '@collimate/graph'
import type { Architecture, ModelConfig } from '../architectures/architecture.js'
import { scoreWeight, type ModelHead } from '../architectures/model-head.js'
import { forestAttention } from './attention.js'
import { batchInputs, unitMasks, type BatchSizes } from './batch-inputs.js'
import { weightInputs } from './parameters.js'
import { isLanguageModelOutput, missingOutput, outputsOf, tokenOutputs } from './token-outputs.js'

export interface ModelProgramRequest {
  readonly architecture: Pick<Architecture, 'parameters' | 'trunk' | 'head'>
  readonly config: ModelConfig
  /** The heads of the model; default `language`. */
  readonly head?: ModelHead
  readonly sizes: BatchSizes
  /** Divides the logits; default 1. */
  readonly temperature?: number
  /** Replaces weights by expressions over them (an adapter); default the weights themselves. */
  readonly adapt?: (weights: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>
}

/** A model over a forest batch, as expressions over feeds and weights. */
export interface ModelTensors {
  /** State inputs by their Hugging Face names. */
  readonly weights: Readonly<Record<string, Tensor>>
  readonly batch: ReturnType<typeof batchInputs>
  readonly unitMask: ReturnType<typeof unitMasks>
  /**
   * A model output, [T], or [N] for `scores`; 0 at padding, whose gradient ends there. Throws COLLIMATE_OUTPUT_MISSING for
   * one that the model lacks.
   */
  output(name: ModelOutput): Tensor
}

/** @param wanted the outputs that will be asked for; where `scores` is the only one, no other row is computed to the end */
export function modelTensors(request: ModelProgramRequest, wanted: readonly ModelOutput[] = []): ModelTensors {
  const { architecture, config, sizes, temperature, head = 'language' } = request
  const weights = weightInputs(architecture.parameters(config, head))
  const adapted = request.adapt?.(weights) ?? weights
  const batch = batchInputs(sizes)
  const unitMask = unitMasks(batch)
  const attention = forestAttention(config, batch)
  const trunk = (keep?: (rows: Tensor) => Tensor): Tensor =>
    architecture.trunk(config, adapted, {
      ...{ tokens: batch.tokens, positions: batch.positions, attention },
      // Positions count within a row.
      positionLimit: sizes.width,
      ...(keep && { keep }),
    })
  const rows = once(() => trunk())
  const scored = once(() => gather(rows(), batch.sources))
  const atEnds = (all: Tensor): Tensor => gather(all, batch.ends)
  const scoresAlone = wanted.length > 0 && wanted.every((name) => name === 'scores')
  const ended = once(() => (scoresAlone ? trunk(atEnds) : atEnds(rows())))
  const tokens = once(() =>
    tokenOutputs({
      hidden: scored(),
      head: () => architecture.head(config, adapted),
      targets: batch.targets,
      ...(temperature === undefined ? {} : { temperature }),
    }),
  )
  const scalar = (hidden: Tensor): Tensor =>
    reshape(matmul(hidden, adapted[scoreWeight], { transposeB: true }), [hidden.shape[0]])
  const has = outputsOf(head)
  return {
    weights,
    batch,
    unitMask,
    output(name) {
      if (!has.includes(name)) throw missingOutput(name, head)
      if (name === 'scores') return where(unitMask('sequences'), scalar(ended()), 0)
      return where(unitMask('tokens'), isLanguageModelOutput(name) ? tokens()[name] : scalar(scored()), 0)
    },
  }
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}
