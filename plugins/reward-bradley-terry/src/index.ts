import { definePlugin } from '@collimate/core'
import { policyTokenizer } from '@collimate/data'
import { readRewardNormalisation } from '@collimate/models'
import { bradleyTerryOptions } from './options.js'
import { bradleyTerryReward } from './reward.js'

export { bradleyTerryOptions } from './options.js'
export type { BradleyTerryOptions } from './options.js'
export { bradleyTerryReward } from './reward.js'
export type { RewardModelParts } from './reward.js'

export const bradleyTerry = definePlugin({
  name: 'bradley-terry',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'reward',
  description: 'Scores completions by a trained reward model.',
  options: bradleyTerryOptions,
  capabilities: { deterministic: true, granularity: 'sequence' },
  create: async ({ model, modelPlugin, ...options }, { bus, path, plugin }) =>
    bradleyTerryReward(
      {
        // The head that the folder has: a language model would get a new one, whose scores mean nothing.
        model: await plugin('policy', { use: modelPlugin, model }),
        normalisation: await readRewardNormalisation(path(model)),
        policyTokenizer: () => policyTokenizer(bus),
      },
      options,
    ),
})

export default bradleyTerry
