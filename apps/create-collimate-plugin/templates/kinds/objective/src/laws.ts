import { lawsOfObjective, type ExampleCase, type LawSuite } from '@collimate/laws'
import { focalObjective } from './index.js'

/** The laws of this plugin, for every option that changes the formula. */
export default async function laws(): Promise<LawSuite[]> {
  return [0, 1, 2].map((gamma) =>
    lawsOfObjective({
      name: `__name__ (gamma ${gamma})`,
      objective: focalObjective({ gamma }),
      kind: 'tokens',
      // Claims are promises, and laws check them: here, that the gradient is that of the loss, with nothing held fixed.
      claims: { fullGradient: true },
      formula: (examples) => meanFocalLoss(examples, gamma),
    }),
  )
}

/** The loss once more, as plain numbers straight from the paper: the law compares the two. Do not share code with the objective. */
function meanFocalLoss(examples: readonly ExampleCase[], gamma: number): number {
  const tokens = examples.flatMap(({ sequences }) => sequences.flatMap((sequence) => sequence.tokens))
  const loss = ({ logProbs }: { readonly logProbs: number }): number =>
    gamma === 0 ? -logProbs : -((1 - Math.exp(logProbs)) ** gamma) * logProbs
  return tokens.reduce((sum, token) => sum + loss({ logProbs: token.logProbs }), 0) / tokens.length
}
