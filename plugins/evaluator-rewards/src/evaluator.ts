import { CollimateError } from '@collimate/core'
import type { Evaluator, PluginContext, Policy, RewardSource, Sample } from '@collimate/core'
import { evaluateRollouts, evaluationMetrics } from '@collimate/rollouts'
import type { Evaluated } from '@collimate/rollouts'
import type { RewardsOptions } from './options.js'

/** Prompts whose reference log-probs are computed at once. */
const microBatchSize = 16

/** What it makes for itself, once and when it is needed: a reward may compute on the backend, which comes after evaluators. */
interface Made {
  readonly rewards: Readonly<Record<string, RewardSource>>
  readonly reference: Policy | undefined
}

/**
 * Answers held-out prompts and tells what the answers are worth: the rewards that it is given, that of the experiment, and
 * the KL to a reference. Every evaluation draws the same random numbers, so that what changes is the policy.
 */
export function rewardsEvaluator(
  options: RewardsOptions & { readonly seed: number },
  plugin: PluginContext['plugin'],
): Evaluator {
  const { during, maxNewTokens, temperature, topP, seed } = options
  const named = Object.entries(options.rewards)
  let made: Promise<Made> | undefined
  const make = async (): Promise<Made> => {
    const rewards: Record<string, RewardSource> = {}
    for (const [name, entry] of named) rewards[name] = await plugin('reward', entry)
    const model = options.reference
    const reference = model ? await plugin('policy', { use: 'transformer', model }) : undefined
    return { rewards, reference }
  }

  return {
    during,
    requires: { reference: options.reference === undefined, reward: false },
    async prepare() {
      await (made ??= make())
    },
    async evaluate(context) {
      const own = await (made ??= make())
      if (options.reference === undefined && !context.reference)
        throw new CollimateError(
          'COLLIMATE_EVALUATOR_INCOMPLETE',
          'rewards measures the KL to a reference, and has none',
          {
            hint: 'name a model folder as `reference`, or give false',
          },
        )
      const reference = options.reference === undefined ? context.reference : own.reference
      const evaluated = await evaluateRollouts(context, {
        ...{ prompts: options.prompts, microBatchSize },
        sampling: { maxNewTokens, temperature, seed, ...(topP < 1 && { topP }) },
        rewards: { ...(context.reward && { reward: context.reward }), ...own.rewards },
        ...(reference && { reference }),
      })
      if (evaluated.rollouts.length === 0)
        throw new CollimateError('COLLIMATE_EVALUATION_EMPTY', 'rewards has no prompts: the held-out split has none', {
          hint: 'give the data an evaluation split of rows with prompts',
        })
      const scored = named[0]?.[0] ?? 'reward'
      return { metrics: evaluationMetrics(evaluated), samples: samplesOf(evaluated, options.samples, scored) }
    },
  }
}

/** The first answers with their score by one of the rewards. */
function samplesOf({ rollouts, rewards }: Evaluated, count: number, by: string): readonly Sample[] {
  return rollouts.slice(0, count).map(({ prompt, completion }, at) => {
    const score = rewards[by]?.[at]
    return {
      prompt: prompt.text,
      completions: { policy: { text: completion.text, ...(score !== undefined && { score }) } },
    }
  })
}
