import { lawsOfObjective, lawsOfTrainer, type ExampleCase, type LawSuite } from '@collimate/laws'
import { sft, sftObjective, sftOptions, sftTrainer } from './index.js'

/** The laws of the trainer and of its loss, the likelihood. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfTrainer({
      name: 'sft',
      create: (options) => sftTrainer(sftOptions.parse(options)),
      objectives: () => sftObjective,
      claims: sft.definition.capabilities,
    }),
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
