import { lawsOfObjective, type ExampleCase, type LawSuite } from '@collimate/laws'
import { sftObjective } from './index.js'

/** The laws of the likelihood loss. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfObjective({
      name: 'sft',
      objective: sftObjective,
      kind: 'tokens',
      claims: { fullGradient: true },
      formula: negativeLogLikelihood,
    }),
  ]
}

/** −Σ_t log π(y_t) over the tokens of all examples, divided by how many they are. */
function negativeLogLikelihood(examples: readonly ExampleCase[]): number {
  const tokens = examples.flatMap(({ sequences }) => sequences.flatMap((sequence) => sequence.tokens))
  return -tokens.reduce((sum, { logProbs }) => sum + logProbs, 0) / tokens.length
}
