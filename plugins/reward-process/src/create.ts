import { CollimateError } from '@collimate/core'
import type { Model, PluginContext, RewardSource, TokenizerFiles } from '@collimate/core'
import { createTokenizer, loadTokenizerFiles, policyTokenizer, requireSameTokens } from '@collimate/data'
import { createRules } from '@collimate/rewards'
import { scoreByModel } from './model-steps.js'
import type { ProcessOptions } from './options.js'
import { stepReward } from './reward.js'
import { scoreByRules } from './rule-steps.js'
import type { ScoreSteps } from './score-steps.js'

type Surroundings = Pick<PluginContext, 'bus' | 'path' | 'plugin'>

/** Makes what the options say; a model and a tokenizer in a folder are loaded now, the policy is asked at the first score. */
export async function createProcessReward(options: ProcessOptions, context: Surroundings): Promise<RewardSource> {
  const { delimiter = '\n', stepTokens, granularity, output = 'logit', microBatchSize = 8 } = options
  const given = options.tokenizer === undefined ? undefined : await loadTokenizerFiles(context.path(options.tokenizer))
  let model: Model | undefined
  let score: ScoreSteps
  if (options.model === undefined) score = scoreByRules(await createRules(options.rules ?? [], { path: context.path }))
  else {
    model = await scoreModel(options.model, context)
    score = scoreByModel(model, { output, microBatchSize })
  }

  const files = async (): Promise<TokenizerFiles | undefined> => {
    const policys = given ?? (await policyTokenizer(context.bus))
    const models = await model?.describe()
    if (policys && models?.tokenizer) requireSameTokens(policys, models.tokenizer, differing)
    return policys ?? models?.tokenizer
  }
  /** Steps of a number of tokens have no text that a model would read. */
  const needsText = stepTokens === undefined || model === undefined
  let found: Promise<TokenizerFiles | undefined> | undefined
  return stepReward({
    division: stepTokens === undefined ? { delimiter } : { stepTokens },
    granularity,
    score,
    async tokenizer() {
      const known = await (found ??= files())
      if (!needsText) return undefined
      if (known === undefined) throw noTokenizer()
      return createTokenizer(known)
    },
  })
}

/** A model that has a scalar head already: a new one would be a reward of noise. */
async function scoreModel(folder: string, { plugin }: Pick<Surroundings, 'plugin'>): Promise<Model> {
  const model = await plugin('policy', { use: 'transformer', model: folder, head: 'auto' })
  const { outputs } = await model.describe()
  if (outputs.includes('values')) return model
  throw new CollimateError('COLLIMATE_OUTPUT_MISSING', `reward "process": the model ${folder} has no scalar head`, {
    hint: 'train one on stepwise data, and give its folder',
  })
}

const differing = {
  what: 'the process reward model',
  hint: 'train a process reward model that begins from the policy, or from a model with its tokenizer',
}

function noTokenizer(): CollimateError {
  return new CollimateError(
    'COLLIMATE_TOKENIZER_MISSING',
    'reward "process" finds steps in the text of tokens, and there is no policy whose tokenizer reads them',
    { hint: 'give the folder of the policy: tokenizer: ./model' },
  )
}
