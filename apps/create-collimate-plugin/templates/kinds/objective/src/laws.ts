import type { ObjectiveTensors } from '@collimate/core'
import { constant, evaluate, type Tensor } from '@collimate/graph'
import { lawsOfObjective, lawsOfOptions, type ExampleCase, type LawSuite } from '@collimate/laws'
import plugin, { focalObjective, options } from './index.js'

/** The laws of this plugin, for every option that changes the formula. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    ...[0, 1, 2].map((gamma) =>
      lawsOfObjective({
        name: `__name__ (gamma ${gamma})`,
        objective: focalObjective({ gamma }),
        kind: 'tokens',
        // Claims are promises, and laws check them: here, that the gradient is that of the loss, with nothing held fixed.
        claims: { fullGradient: true },
        formula: (examples) => meanFocalLoss(examples, gamma),
      }),
    ),
    // Every option changes what comes out, or its use is refused: for each, a value that shows it.
    lawsOfOptions({
      plugin,
      output: (given) => lossesOf(options.parse(given)),
      alternatives: { gamma: [{ value: 0 }, { value: 1 }, { value: 0.5, refused: true }] },
    }),
  ]
}

/** The loss once more, as plain numbers straight from the paper: the law compares the two. Do not share code with the objective. */
function meanFocalLoss(examples: readonly ExampleCase[], gamma: number): number {
  const tokens = examples.flatMap(({ sequences }) => sequences.flatMap((sequence) => sequence.tokens))
  const loss = ({ logProbs }: (typeof tokens)[number]): number =>
    gamma === 0 ? -logProbs : -((1 - Math.exp(logProbs)) ** gamma) * logProbs
  return tokens.reduce((sum, token) => sum + loss(token), 0) / tokens.length
}

/** Losses of three tokens. */
function lossesOf(chosen: { readonly gamma: number }): readonly number[] {
  const logProbs = constant([-0.1, -1, -3])
  const [{ perUnit }] = focalObjective(chosen).terms({ logProbs } as ObjectiveTensors<Tensor>)
  return [...evaluate(perUnit, {}).data]
}
