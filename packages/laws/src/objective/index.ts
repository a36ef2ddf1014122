import type { Objective } from '@collimate/core'
import type { Tensor } from '@collimate/graph'
import type { PairSums } from '../formulas/preferences.js'
import { suiteOf, type Claims, type LawSuite } from '../suite.js'
import { bradleyTerryLaws } from './bradley-terry-laws.js'
import type { ExampleCase, ExampleShape } from './example.js'
import { layoutLaws } from './layout-laws.js'
import { optimumLaws } from './optimum-laws.js'
import { pairSums } from './pairs.js'
import { partitionLaws } from './partition-laws.js'
import { scoreLaws } from './score-laws.js'
import { subjectOf } from './subject.js'
import { valueLaws } from './value-laws.js'

/** What a configured objective may claim; the laws check each claim. */
export interface ObjectiveClaims {
  /** The gradient is that of the loss, with nothing held fixed. */
  readonly fullGradient?: boolean
  /** A batch may be split; default where it is not `coupled`. */
  readonly decomposable?: boolean
  /** Pairs: a constant of the prompt cancels; `equal lengths`: for answers of one length only; false: it must not. */
  readonly cancelsPartition?: boolean | 'equal lengths'
  /** Pairs: −log of a Bradley-Terry probability of the margin. */
  readonly bradleyTerry?: boolean
  /** Pairs: never rises with the margin. */
  readonly monotone?: boolean
  /** Pairs: chosen and rejected have opposite gradients, always or for answers of one length. */
  readonly antisymmetric?: boolean | 'equal lengths'
  /** Pairs: only sums over tokens matter. */
  readonly sequenceSums?: boolean
  /** Pairs: metrics `rewards/*` and `logps/*` by TRL's definitions. */
  readonly implicitRewards?: boolean
  /** Pairs of scores: metrics `accuracy`, `margin` and `*_reward` by TRL's definitions. */
  readonly scoreMetrics?: boolean
  /** Pairs of scores: the input `margin` is how far the chosen score is to be ahead. */
  readonly margin?: boolean
  /** Pairs: value where the policy is its reference. */
  readonly atReference?: number
  /** Pairs: margin βD where the loss is least, for answers of one token. */
  readonly minimumAt?: number
  /** Pairs: share of flipped labels under which it stays unbiased. */
  readonly unbiasedUnderFlips?: number
}

export interface ObjectiveLawOptions {
  /** Name of what is checked, e.g. `dpo (sigmoid)`. */
  readonly name: string
  readonly objective: Objective<Tensor>
  /** What its examples are: preference pairs, single completions, or tokens of them. */
  readonly kind: 'pairs' | 'tokens' | 'sequences'
  /** Strength of the KL penalty that it is configured with, for laws about rewards. Default 1. */
  readonly beta?: number
  readonly claims?: ObjectiveClaims
  /** The mean loss of some pairs, written independently as plain numbers (`preferenceLoss`). */
  readonly pairFormula?: (pairs: readonly PairSums[]) => number
  /** The same for objectives of any kind, from the numbers of the examples. */
  readonly formula?: (examples: readonly ExampleCase[]) => number
  /** How the objective's inputs are drawn, by name; default log-probs for names that end in LogProbs, else around 0. */
  readonly inputs?: ExampleShape['inputs']
}

/** The laws of a configured objective, judged in float64 by the machinery that trains with it. */
export function lawsOfObjective(options: ObjectiveLawOptions): LawSuite {
  const { name, objective, kind, beta = 1, claims = {}, pairFormula } = options
  const { cancelsPartition, antisymmetric } = claims
  const formula =
    options.formula ?? (pairFormula && ((examples: readonly ExampleCase[]) => pairFormula(pairSums(examples))))
  const subject = subjectOf(objective, kind, options.inputs)
  const equal = (claim: boolean | string | undefined) => claim === 'equal lengths'
  const pairs =
    kind === 'pairs'
      ? [
          ...bradleyTerryLaws({ subject, beta, equalLengths: equal(antisymmetric) }),
          ...partitionLaws({ subject, beta, equalLengths: equal(cancelsPartition) }),
          ...optimumLaws({ subject, beta, ...claims }),
          ...scoreLaws(subject),
        ]
      : []
  const effective: Claims = {
    ...claims,
    decomposable: claims.decomposable ?? !objective.coupled,
    formula: formula !== undefined,
    ...(kind === 'pairs' ? { keepsPartition: cancelsPartition === false || equal(cancelsPartition) } : {}),
  }
  return suiteOf({
    contract: 'objective',
    subject: name,
    laws: [...layoutLaws(subject), ...valueLaws(subject, formula), ...pairs],
    claims: effective,
  })
}

export type { ExampleCase, SequenceCase } from './example.js'
export type { LossFormula } from './value-laws.js'
