import { CollimateError, type ModelOutput } from '@collimate/core'
import {
  argmax,
  cast,
  div,
  equal,
  exp,
  headLogProbs,
  logSoftmax,
  matmul,
  mean,
  mul,
  neg,
  reshape,
  sum,
  type Tensor,
} from '@collimate/graph'
import { checkTemperature } from './check-update.js'

export interface TokenOutputsRequest {
  /** [T, D] hidden states at the positions that are scored. */
  readonly hidden: Tensor
  /** [V, D] */
  readonly head: Tensor
  /** int [T] */
  readonly targets: Tensor
  /** Divides the logits; default 1. */
  readonly temperature?: number
}

/** Outputs that a causal language model without further heads has. */
export const languageModelOutputs = ['logProbs', 'entropy', 'correct', 'meanLogits'] as const satisfies ModelOutput[]
export type LanguageModelOutput = (typeof languageModelOutputs)[number]

export function isLanguageModelOutput(name: ModelOutput): name is LanguageModelOutput {
  return (languageModelOutputs as readonly ModelOutput[]).includes(name)
}

/** The error for an output that the model does not have. */
export function missingOutput(name: ModelOutput): CollimateError {
  return new CollimateError('COLLIMATE_OUTPUT_MISSING', `a causal language model has no output "${name}"`, {
    hint: 'outputs "values" and "scores" need a model with a value or reward head',
  })
}

/**
 * What a language model says of its scored tokens, each [T]. An expression is built when it is asked for; those that read
 * the logits share them.
 */
export function tokenOutputs(request: TokenOutputsRequest): Readonly<Record<LanguageModelOutput, Tensor>> {
  const { head, targets, temperature = 1 } = request
  checkTemperature(temperature)
  // Scaling [T, D] is cheaper than scaling the logits, [T, V].
  const hidden = temperature === 1 ? request.hidden : div(request.hidden, temperature)
  const rows = targets.shape[0]
  const logits = (): Tensor => matmul(hidden, head, { transposeB: true })
  return {
    get logProbs() {
      return headLogProbs(hidden, head, targets)
    },
    get entropy() {
      const logProbs = logSoftmax(logits())
      return neg(sum(mul(exp(logProbs), logProbs), [1]))
    },
    get correct() {
      return cast(equal(argmax(logits()), targets), 'float')
    },
    get meanLogits() {
      // The mean over the vocabulary is linear: one product with the mean row of the head.
      const row = mean(head, [0], true)
      return reshape(matmul(hidden, row, { transposeB: true }), [rows])
    },
  }
}
