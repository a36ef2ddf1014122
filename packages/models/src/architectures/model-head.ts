import type { Parameter } from './architecture.js'

/**
 * What stands on the trunk: the vocabulary (a causal language model), one number (a sequence-classification model with one
 * label: a reward model or a critic), or both (a policy with a value head).
 */
export type ModelHead = 'language' | 'score' | 'language+score'

export const modelHeads = ['language', 'score', 'language+score'] as const satisfies readonly ModelHead[]

export const hasLanguageHead = (head: ModelHead): boolean => head !== 'score'
export const hasScalarHead = (head: ModelHead): boolean => head !== 'language'

/** Name of the scalar head's matrix, [1, D], as transformers has it. */
export const scoreWeight = 'score.weight'

/**
 * The scalar head of a trunk of width D: a matrix [1, D], no bias. A new one starts as N(0, 1/(D + 1)), so that on
 * normalised hidden states scores begin with a variance of about 1 (Stiennon et al., arXiv 2009.01325, appendix B.1).
 */
export const scalarHead = (hidden: number): Parameter => ({
  shape: [1, hidden],
  decay: true,
  init: { normal: 1 / Math.sqrt(hidden + 1) },
})
