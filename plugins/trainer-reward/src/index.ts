import { definePlugin } from '@collimate/core'
import { rewardObjective } from './objective.js'
import { rewardLossOptions, rewardOptions } from './options.js'
import { rewardTrainer } from './trainer.js'

export { calibrationBins } from './calibration.js'
export type { CalibrationBin } from './calibration.js'
export { rewardObjective } from './objective.js'
export { rewardLossOptions, rewardOptions } from './options.js'
export type { RewardLossOptions, RewardOptions } from './options.js'
export type { ScoredPair } from './score-pairs.js'
export { rewardTrainer } from './trainer.js'

/** The objective `reward` by itself. */
export const rewardObjectivePlugin = definePlugin({
  name: 'reward',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'objective',
  description: 'Bradley-Terry loss of reward models, with margins and centring.',
  options: rewardLossOptions,
  create: (options) => rewardObjective(options),
})

export const reward = definePlugin({
  name: 'reward',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'trainer',
  description: 'Trains a reward model on pairs of answers.',
  options: rewardOptions,
  capabilities: { optimum: 'rewards', margins: true },
  brings: [rewardObjectivePlugin],
  create: (options) => rewardTrainer(options),
})

export default reward
