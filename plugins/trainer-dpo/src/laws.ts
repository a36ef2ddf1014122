import type { ObjectiveUse } from '@collimate/core'
import { lawsOfTrainer, lawsOfTrainerOptions, type LawSuite } from '@collimate/laws'
import { dpo, dpoLossOptions, dpoObjective, dpoOptions, dpoTrainer, type DpoOptions } from './index.js'
import { dpoLosses, lossNames, type LossName } from './losses.js'
import { objectiveSuites } from './objective-laws.js'

/** The laws of the trainer with its default loss, and of every loss of the family. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfTrainer({
      name: 'dpo',
      create: (options) => dpoTrainer(dpoOptions.parse(options)),
      objectives,
      claims: dpo.definition.capabilities,
    }),
    ...objectiveSuites(),
    lawsOfTrainerOptions({
      plugin: dpo,
      create: (options) => dpoTrainer(options as DpoOptions),
      objectives,
      alternatives: {
        loss: [
          ...lossNames.filter((loss) => dpoLosses[loss].smoothing === 'ignored').map((value) => ({ value })),
          // Ranks change once the policy has moved.
          { value: 'aot', with: { learningRate: 0.5 } },
          { value: 'aot_unpaired', with: { learningRate: 0.5 } },
          { value: 'exo_pair', with: { labelSmoothing: 0.1 } },
          // Without flipped labels it is `sigmoid`.
          { value: 'robust', with: { labelSmoothing: 0.1 } },
          { value: 'exo_pair', refused: conflict },
          { value: 'aot', with: { microBatchSize: 2 }, refused: conflict },
        ],
        beta: [{ value: 0.5 }, { value: 0, refused: true }],
        labelSmoothing: [{ value: 0.2 }, { value: 0.5, refused: true }, ...refusedWith('hinge', 0.2)],
        fDivergenceType: [
          { value: 'forward_kl' },
          { value: 'js_divergence' },
          ...refusedWith('nca_pair', 'forward_kl'),
        ],
        fAlphaDivergenceCoef: [
          { value: 0.2, with: { fDivergenceType: 'alpha_divergence' } },
          { value: 0.2, refused: conflict },
        ],
        discopopTau: [
          { value: 0.5, with: { loss: 'discopop' } },
          { value: 0.5, refused: conflict },
        ],
      },
    }),
  ]
}

const conflict = 'COLLIMATE_OPTION_CONFLICT'
const refusedWith = (loss: LossName, value: unknown) => [{ value, with: { loss }, refused: conflict }] as const
const objectives = ({ options }: ObjectiveUse) => dpoObjective(dpoLossOptions.parse(options))
