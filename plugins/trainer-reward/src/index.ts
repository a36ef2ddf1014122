import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { rewardObjective } from './objective.js'
import { rewardLossOptions, rewardOptions } from './options.js'
import { processObjective } from './process-objective.js'
import { rewardTrainer } from './trainer.js'

export { calibrationBins } from './calibration.js'
export type { CalibrationBin, Prediction } from './calibration.js'
export { rewardObjective } from './objective.js'
export { rewardLossOptions, rewardOptions } from './options.js'
export type { RewardLossOptions, RewardOptions } from './options.js'
export { processObjective } from './process-objective.js'
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

/** The objective `reward-process` by itself. */
export const processObjectivePlugin = definePlugin({
  name: 'reward-process',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'objective',
  description: 'Binary cross-entropy of process reward models, on the last tokens of steps.',
  options: z.strictObject({}),
  create: () => processObjective,
})

export const reward = definePlugin({
  name: 'reward',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'trainer',
  description: 'Trains a reward model on pairs of answers, or on labels of their steps.',
  options: rewardOptions,
  capabilities: { optimum: 'rewards', margins: true },
  brings: [rewardObjectivePlugin, processObjectivePlugin],
  create: (options) => rewardTrainer(options),
})

export default reward
