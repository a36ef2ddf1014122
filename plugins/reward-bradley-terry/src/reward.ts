import { CollimateError } from '@collimate/core'
import type { Model, ModelDescription, RewardSource, Scorable, TokenizerFiles } from '@collimate/core'
import { createTokenizer, microBatches, requireSameTokens } from '@collimate/data'
import type { RewardNormalisation } from '@collimate/models'
import type { BradleyTerryOptions } from './options.js'
import { rowsOf } from './rows-of.js'
import { keepEnd, retokenised, sampledTokens } from './tokens-of.js'
import type { Tokens } from './tokens-of.js'

export interface RewardModelParts {
  readonly model: Pick<Model, 'describe' | 'outputs' | 'close'>
  readonly normalisation?: RewardNormalisation | undefined
  /** The tokenizer of the policy whose completions are scored; undefined where there is no policy (yet). */
  policyTokenizer(): Promise<TokenizerFiles | undefined>
}

/**
 * One number per completion: the score of a reward model at its last token (its prompt's, where it is empty), normalised by
 * what the model was saved with. Completions of one prompt share it.
 *
 * @throws CollimateError COLLIMATE_OUTPUT_MISSING where the model is none of rewards; COLLIMATE_REWARD_TOKENIZER_DIFFERS,
 *   COLLIMATE_TOKENIZER_MISSING
 */
export async function bradleyTerryReward(
  { model, normalisation, policyTokenizer }: RewardModelParts,
  options: Omit<BradleyTerryOptions, 'model' | 'modelPlugin'>,
): Promise<RewardSource> {
  const description = await model.describe()
  if (!description.outputs.includes('scores'))
    throw new CollimateError(
      'COLLIMATE_OUTPUT_MISSING',
      'bradley-terry needs a reward model; this one gives no scores',
      {
        hint: 'train one with the trainer reward; a language model scores nothing',
      },
    )
  const tokensOf = options.retokenise ? retokenising(description) : sampledTokens
  const maxLength = Math.min(options.maxLength ?? Infinity, description.contextLength)
  const { mean, std } = (options.normalise && normalisation) || { mean: 0, std: 1 }

  let isChecked = options.retokenise
  async function checkTokenizer(): Promise<void> {
    if (isChecked) return
    const policy = await policyTokenizer()
    if (!policy) return
    requireSameTokens(policy, description.tokenizer ?? missingTokenizer(), differing)
    isChecked = true
  }
  await checkTokenizer()

  return {
    async score({ rollouts }) {
      await checkTokenizer()
      const sequences = rollouts.map((rollout, at) => keepEnd(required(tokensOf(rollout), at), maxLength))
      const scores = await scoresOf(model, sequences, options.microBatchSize)
      return {
        granularity: 'sequence',
        scores: Array.from(scores, (score, at) => Float64Array.of((finite(score, rollouts[at], at) - mean) / std)),
      }
    },
    close: () => model.close(),
  }
}

/** [n] the model's own scores, in the order of the sequences. */
async function scoresOf(
  model: Pick<Model, 'outputs'>,
  sequences: readonly Tokens[],
  microBatchSize: number,
): Promise<Float64Array> {
  const found = new Float64Array(sequences.length)
  const rows = rowsOf(sequences)
  const { batches, order } = microBatches(
    rows.map(({ example }) => example),
    { microBatchSize },
  )
  for (const [number, batch] of batches.entries()) {
    const { scores = [] } = await model.outputs({ batch, names: ['scores'] })
    const places = order[number].flatMap((row) => rows[row].places)
    places.forEach((place, at) => (found[place] = scores[at]))
  }
  return found
}

function retokenising({ tokenizer: files }: ModelDescription): (rollout: Scorable) => Tokens {
  const tokenizer = createTokenizer(files ?? missingTokenizer())
  return (rollout) => retokenised(rollout, tokenizer)
}

const differing = {
  what: 'the reward model',
  hint: 'set `retokenise: true` to tokenise the texts anew, or train the reward model from the policy’s own base',
}

function missingTokenizer(): never {
  throw new CollimateError('COLLIMATE_TOKENIZER_MISSING', 'the folder of the reward model has no tokenizer.json', {
    hint: 'copy tokenizer.json and tokenizer_config.json of the model that it was trained from into it',
  })
}

function required(tokens: Tokens, at: number): Tokens {
  if (tokens.prompt.length + tokens.completion.length > 0) return tokens
  throw new CollimateError(
    'COLLIMATE_PROMPT_EMPTY',
    `rollout ${at} has neither prompt nor completion: nothing to score`,
    {
      hint: 'give each row a prompt of at least one token',
    },
  )
}

function finite(score: number, { completion }: Scorable, at: number): number {
  if (Number.isFinite(score)) return score
  throw new CollimateError(
    'COLLIMATE_REWARD_NOT_FINITE',
    `the reward model scored rollout ${at} ${score}: ${JSON.stringify(completion.text.slice(0, 80))}`,
    { hint: 'its weights have diverged: train it again with a lower learning rate' },
  )
}
