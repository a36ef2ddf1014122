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
import { hasLanguageHead, hasScalarHead, type ModelHead } from '../architectures/model-head.js'
import { checkTemperature } from './check-update.js'

export interface TokenOutputsRequest {
  /** [T, D] hidden states at the positions that are scored. */
  readonly hidden: Tensor
  /** The language head's matrix, [V, D]; asked for where an output reads the logits. */
  readonly head: () => Tensor
  /** int [T] */
  readonly targets: Tensor
  /** Divides the logits; default 1. */
  readonly temperature?: number
}

/** Outputs of a language head. */
export const languageModelOutputs = ['logProbs', 'entropy', 'correct', 'meanLogits'] as const satisfies ModelOutput[]
export type LanguageModelOutput = (typeof languageModelOutputs)[number]

/** Outputs of a scalar head: at the sources [T], and at the ends [N]. */
export const scalarOutputs = ['values', 'scores'] as const satisfies ModelOutput[]

export function isLanguageModelOutput(name: ModelOutput): name is LanguageModelOutput {
  return (languageModelOutputs as readonly ModelOutput[]).includes(name)
}

/** What a model with these heads can compute. */
export function outputsOf(head: ModelHead): readonly ModelOutput[] {
  return [...(hasLanguageHead(head) ? languageModelOutputs : []), ...(hasScalarHead(head) ? scalarOutputs : [])]
}

/** The error for an output that a model with these heads does not have. */
export function missingOutput(name: ModelOutput, head: ModelHead): CollimateError {
  const has = outputsOf(head).join(', ')
  return new CollimateError(
    'COLLIMATE_OUTPUT_MISSING',
    `the model has no output "${name}": its head is \`${head}\`, which gives ${has}`,
    {
      hint: isLanguageModelOutput(name)
        ? `"${name}" needs a causal language model`
        : `"${name}" needs a scalar head: a sequence-classification model, or head \`language+score\``,
    },
  )
}

/**
 * What a language model says of its scored tokens, each [T]. An expression is built when it is asked for; those that read
 * the logits share them.
 */
export function tokenOutputs(request: TokenOutputsRequest): Readonly<Record<LanguageModelOutput, Tensor>> {
  const { targets, temperature = 1 } = request
  checkTemperature(temperature)
  // Scaling [T, D] is cheaper than scaling the logits, [T, V].
  const hidden = temperature === 1 ? request.hidden : div(request.hidden, temperature)
  const rows = targets.shape[0]
  const logits = (): Tensor => matmul(hidden, request.head(), { transposeB: true })
  return {
    get logProbs() {
      return headLogProbs(hidden, request.head(), targets)
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
      const row = mean(request.head(), [0], true)
      return reshape(matmul(hidden, row, { transposeB: true }), [rows])
    },
  }
}
