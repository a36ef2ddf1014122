import { square } from '@collimate/graph'
import { lawsOfObjective, lawsOfTrainer, lawsOfTrainerOptions, type ExampleCase, type LawSuite } from '@collimate/laws'
import { sft, sftObjective, sftOptions, sftTrainer, type SftOptions } from './index.js'

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
    lawsOfTrainerOptions({
      plugin: sft,
      create: (options) => sftTrainer(options as SftOptions),
      objectives: ({ use }) => (use === 'squared' ? squared : sftObjective),
      alternatives: {
        objective: [{ value: 'squared' }],
        completionOnly: [{ value: false }],
        packing: [
          { value: 'bfd' },
          { value: 'bfd', with: { completionOnly: false }, refused: 'COLLIMATE_OPTION_CONFLICT' },
          { value: 'bfd', with: { maxLength: null }, refused: 'COLLIMATE_OPTION_CONFLICT' },
        ],
      },
    }),
  ]
}

/** Another loss of tokens, to see that the option `objective` chooses. */
const squared: typeof sftObjective = {
  ...sftObjective,
  name: 'squared',
  terms: ({ logProbs }) => [{ perUnit: square(logProbs), unit: 'tokens' }],
}

/** −Σ_t log π(y_t) over the tokens of all examples, divided by how many they are. */
function negativeLogLikelihood(examples: readonly ExampleCase[]): number {
  const tokens = examples.flatMap(({ sequences }) => sequences.flatMap((sequence) => sequence.tokens))
  return -tokens.reduce((sum, { logProbs }) => sum + logProbs, 0) / tokens.length
}
