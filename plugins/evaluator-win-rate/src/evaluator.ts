import { CollimateError } from '@collimate/core'
import type {
  Evaluator,
  Example,
  GenerateRequest,
  Reference,
  RewardSource,
  Sample,
  Scorable,
  TrainerContext,
} from '@collimate/core'
import { createTokenizer } from '@collimate/data'
import type { Tokenizer } from '@collimate/data'
import { compareScores } from './compare.js'
import type { WinRateOptions } from './options.js'

/** Prompts that are answered together: after each lot progress is told and an abort is heard. */
const lot = 64

/**
 * Answers held-out prompts with the policy and with its reference, scores both by the experiment's reward and compares.
 *
 * Both answers to a prompt come from the same random numbers, so that they differ as far as the policies do; equal
 * policies give a win rate of exactly one half.
 */
export function winRateEvaluator(options: WinRateOptions & { seed: number }): Evaluator {
  return {
    requires: { reference: true, reward: true },

    async evaluate(context) {
      const { policy, reference, reward } = context
      if (!reference || !reward) {
        throw new CollimateError('COLLIMATE_EVALUATOR_INCOMPLETE', 'win-rate needs a reference and a reward', {
          hint: 'give the experiment a `reward`',
        })
      }
      const examples = await promptsOf(context, options.prompts)
      const tokenizer = await tokenizerOf(policy)
      const answers = { policy: [] as Answer[], reference: [] as Answer[] }
      for (let start = 0; start < examples.length; start += lot) {
        context.signal.throwIfAborted()
        const part = examples.slice(start, start + lot)
        const request: GenerateRequest = {
          prompts: part.map(({ prompt }) => prompt),
          sampling: samplingOf(options),
          streams: part.map((_, k) => start + k),
        }
        for (const [name, model] of [
          ['policy', policy],
          ['reference', reference],
        ] as const) {
          answers[name].push(...(await answer(model, request, part, reward, tokenizer)))
        }
        context.bus.emit('progress.made', {
          phase: 'win rate',
          done: start + part.length,
          total: examples.length,
          unit: 'prompts',
        })
      }
      const scores = {
        policy: answers.policy.map(({ score }) => score),
        reference: answers.reference.map(({ score }) => score),
      }
      const shown = examples.slice(0, options.samples)
      return {
        metrics: compareScores(scores, options.seed),
        samples: shown.map(({ text }, k): Sample => ({
          prompt: text.prompt,
          completions: { reference: answers.reference[k], policy: answers.policy[k] },
        })),
      }
    },
  }
}

interface Answer {
  readonly text: string
  readonly score: number
}

function samplingOf({
  maxNewTokens,
  temperature,
  topP,
  seed,
}: WinRateOptions & { seed: number }): GenerateRequest['sampling'] {
  return { maxNewTokens, temperature, seed, ...(topP < 1 && { topP }) }
}

async function answer(
  model: Reference,
  request: GenerateRequest,
  examples: readonly Example[],
  reward: RewardSource,
  tokenizer: Tokenizer,
): Promise<Answer[]> {
  const { completions } = await model.generate(request)
  const rollouts = completions.map((ids, k): Scorable => {
    const { prompt, text, columns } = examples[k]
    const completion = tokenizer.decodeAfter(prompt, ids, { skipSpecialTokens: true })
    return { prompt: { ids: prompt, text: text.prompt }, completion: { ids, text: completion }, columns }
  })
  const { scores } = await reward.score({ rollouts })
  return rollouts.map(({ completion }, k) => ({ text: completion.text, score: total(scores[k]) }))
}

/** The score of a whole answer, whatever the granularity. */
function total(scores: Float64Array): number {
  const sum = scores.reduce((a, b) => a + b, 0)
  if (Number.isFinite(sum)) return sum
  throw new CollimateError('COLLIMATE_REWARD_NOT_FINITE', `the reward source scored an answer ${sum}`, {
    hint: 'scores must be finite numbers',
  })
}

/** The first prompts of the held-out split, each once. */
async function promptsOf({ data }: TrainerContext, most: number): Promise<Example[]> {
  const found = new Map<string, Example>()
  for (let start = 0; start < data.evaluationLength && found.size < most; start += lot) {
    const indices = Array.from({ length: Math.min(lot, data.evaluationLength - start) }, (_, k) => start + k)
    for (const example of await data.read('evaluation', indices)) {
      if (example.prompt.length > 0 && !found.has(example.prompt.join())) found.set(example.prompt.join(), example)
    }
  }
  if (found.size > 0) return [...found.values()].slice(0, most)
  throw new CollimateError('COLLIMATE_EVALUATION_EMPTY', 'win-rate has no prompts: the held-out split has none', {
    hint: 'give the data an evaluation split of rows with prompts',
  })
}

async function tokenizerOf(policy: Reference): Promise<Tokenizer> {
  const { tokenizer } = await policy.describe()
  if (tokenizer) return createTokenizer(tokenizer)
  throw new CollimateError(
    'COLLIMATE_TOKENIZER_MISSING',
    'win-rate needs the tokenizer of the policy to read its answers',
    {
      hint: 'put tokenizer.json into the model folder',
    },
  )
}
