import { CollimateError, definePlugin } from '@collimate/core'
import type { Bus, TokenizerFiles } from '@collimate/core'
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

async function policyTokenizer(bus: Bus): Promise<TokenizerFiles | undefined> {
  try {
    return (await bus.call('policy.describe', undefined)).tokenizer
  } catch (error) {
    // Evaluators make their rewards before there is a policy; a command may have none.
    if (error instanceof CollimateError && error.code === 'COLLIMATE_CALL_UNSERVED') return undefined
    throw error
  }
}
