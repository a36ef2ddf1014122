import { CollimateError } from '@collimate/core'
import type { Model, TrainerContext } from '@collimate/core'

/** The model whose values are asked for, and whether it is one of its own. */
export interface Critic {
  readonly model: Model
  readonly separate: boolean
}

/**
 * The critic of a run: that of the context, or the policy itself where they share a trunk.
 *
 * @throws CollimateError COLLIMATE_OUTPUT_MISSING where the model has no scalar head, COLLIMATE_CRITIC_MISMATCH where the
 *   critic does not read the policy's tokens
 */
export async function criticOf(
  { policy, critic }: Pick<TrainerContext, 'policy' | 'critic'>,
  kind: 'separate' | 'shared',
): Promise<Critic> {
  const ofPolicy = await policy.describe()
  if (kind === 'shared') {
    if (ofPolicy.outputs.includes('values')) return { model: policy, separate: false }
    throw new CollimateError('COLLIMATE_OUTPUT_MISSING', 'critic: shared, but the policy has no output "values"', {
      hint: 'give the policy `head: language+score`, or the trainer `critic: separate`',
    })
  }
  if (!critic)
    throw new CollimateError('COLLIMATE_TRAINER_INCOMPLETE', 'ppo needs a critic', {
      hint: 'run it through an experiment, which makes one of the policy',
    })
  const { outputs, vocabularySize } = await critic.describe()
  if (!outputs.includes('values'))
    throw new CollimateError('COLLIMATE_OUTPUT_MISSING', 'the critic has no output "values"', {
      hint: 'give the critic `head: score`',
    })
  if (vocabularySize !== ofPolicy.vocabularySize)
    throw new CollimateError(
      'COLLIMATE_CRITIC_MISMATCH',
      `the critic has a vocabulary of ${vocabularySize} tokens, the policy one of ${ofPolicy.vocabularySize}`,
      { hint: 'a critic reads the tokens of the policy: give it a model with the same tokenizer' },
    )
  return { model: critic, separate: true }
}
