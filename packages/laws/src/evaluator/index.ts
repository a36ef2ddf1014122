import type { Evaluator, TrainerContext } from '@collimate/core'
import { type Claims, type LawSuite, suiteOf } from '../suite.js'
import { evaluatorLaws } from './evaluator-laws.js'

export type { EvaluationCase } from './fakes.js'

export interface EvaluatorLawsOptions {
  readonly name: string
  /** A new evaluator at each call, the same for the same run seed. */
  create(seed: number): Evaluator | Promise<Evaluator>
  /** Changes the context of fakes that the laws make, for an evaluator that needs more: other data, another reward. */
  context?(fake: TrainerContext): TrainerContext
  readonly claims?: Claims
}

/** What an evaluator must fulfil: it only measures, and what it says are numbers with intervals and named samples. */
export function lawsOfEvaluator({
  name,
  create,
  context = (fake) => fake,
  claims = {},
}: EvaluatorLawsOptions): LawSuite {
  const laws = evaluatorLaws(async (seed) => create(seed), context)
  return suiteOf({ contract: 'evaluator', subject: name, claims, laws })
}
