import type { ObjectiveUse } from '@collimate/core'
import { lawsOfTrainer, lawsOfTrainerOptions, type LawSuite } from '@collimate/laws'
import {
  processObjective,
  reward,
  rewardLossOptions,
  rewardObjective,
  rewardOptions,
  rewardTrainer,
  type RewardOptions,
} from './index.js'
import { objectiveSuites } from './objective-laws.js'

/** The laws of the trainer, of its loss with and without margins and centring, and of its options. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfTrainer({
      name: 'reward',
      create: (options) => rewardTrainer(rewardOptions.parse(options)),
      objectives,
      claims: reward.definition.capabilities,
    }),
    lawsOfTrainer({
      name: 'reward (process)',
      create: (options) => rewardTrainer(rewardOptions.parse({ ...options, supervision: 'process' })),
      objectives,
      claims: { optimum: 'steps' },
    }),
    ...objectiveSuites(),
    lawsOfTrainerOptions({
      plugin: reward,
      create: (options) => rewardTrainer(options as RewardOptions),
      objectives,
      alternatives: {
        centerRewardsCoefficient: [
          { value: 0.5 },
          { value: -1, refused: true },
          { value: 0.5, with: { supervision: 'process' }, refused: conflict },
        ],
        truncation: [{ value: 'keep_start' }, { value: 'keep_end' }],
        supervision: [{ value: 'process' }],
        stepSeparator: [
          { value: ';', with: { supervision: 'process' } },
          { value: ';', refused: conflict },
        ],
        normalise: { unobservable: 'it is written into the folder of the saved model' },
      },
    }),
  ]
}

const conflict = 'COLLIMATE_OPTION_CONFLICT'
const objectives = ({ use, options }: ObjectiveUse) =>
  use === 'reward' ? rewardObjective(rewardLossOptions.parse(options)) : processObjective
