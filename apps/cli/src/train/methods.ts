import type { Plugin } from '@collimate/core'
import gae from '@collimate/estimator-gae'
import sequence from '@collimate/estimator-sequence'
import dpo from '@collimate/trainer-dpo'
import ppo from '@collimate/trainer-ppo'
import reinforce from '@collimate/trainer-reinforce'
import reward from '@collimate/trainer-reward'
import sft from '@collimate/trainer-sft'

/** A trainer that has a command of its own. */
export interface Method {
  readonly plugin: Plugin<'trainer'>
  readonly summary: string
  /** Columns of its rows. */
  readonly rows: string
  /** Head of the model that it trains, as options of the trainer may want it; default a language model. */
  readonly head?: (options: Readonly<Record<string, unknown>>) => string | undefined
  /** It learns from a reward, by advantages that this estimates. */
  readonly estimator?: Plugin<'estimator'>
  /** What it trains answers prompts: a gold reward can judge the answers. */
  readonly answers: boolean
  readonly examples: string
}

const prompts = '`prompt`, or any rows that have one'

export const methods: readonly Method[] = [
  {
    plugin: sft,
    summary: 'fine-tune a model on texts, prompts with completions, or conversations',
    rows: '`prompt` and `completion`, `messages`, or `text`',
    answers: true,
    examples: `
  collimate sft --model ./model --data answers.jsonl --output out/sft
  collimate sft --model ./model --data chats.jsonl.gz --eval-split 0.05 --epochs 1 --learning-rate 1e-4`,
  },
  {
    plugin: reward,
    summary: 'train a reward model on preference pairs: the language model with a score in place of its head',
    rows: '`prompt`, `chosen` and `rejected`, perhaps `margin`; stepwise rows with --supervision process',
    head: () => 'score',
    answers: false,
    examples: `
  collimate reward --model out/sft --data pairs.jsonl --eval-split 0.1 --output out/reward
  collimate reward --model out/sft --data pairs.jsonl --center-rewards-coefficient 0.01`,
  },
  {
    plugin: reinforce,
    summary: 'align a model with a reward by REINFORCE: RLOO, GRPO and their kin, with a KL penalty',
    rows: prompts,
    estimator: sequence,
    answers: true,
    examples: `
  collimate reinforce --model out/sft --data prompts.jsonl --reward out/reward --eval-split 0.1 --output out/rloo
  collimate reinforce --model out/sft --data prompts.jsonl --reward ./my-reward.ts --baseline group-std --beta 0
  collimate reinforce --model out/sft --data prompts.jsonl --reward '{ use: rule, rules: [{ rule: length, target: 20 }] }'`,
  },
  {
    plugin: ppo,
    summary: 'align a model with a reward by PPO: a critic, clipped updates and a KL penalty',
    rows: prompts,
    // A critic that shares the trunk is a second head on the policy.
    head: ({ critic }) => (critic === 'shared' ? 'language+score' : undefined),
    estimator: gae,
    answers: true,
    examples: `
  collimate ppo --model out/sft --data prompts.jsonl --reward out/reward --eval-split 0.1 --output out/ppo
  collimate ppo --model out/sft --data prompts.jsonl --reward out/reward --critic shared --kl-target 6
  collimate ppo --model out/sft --data prompts.jsonl --reward out/reward --gold ./gold.ts --eval-split 0.1 --eval-every 20`,
  },
  {
    plugin: dpo,
    summary: 'align a model with preference pairs by direct preference optimisation',
    rows: '`prompt`, `chosen` and `rejected`, or `chosen` and `rejected` with a common beginning',
    answers: true,
    examples: `
  collimate dpo --model ./model --data pairs.jsonl --eval-split 0.1 --output out/aligned
  collimate dpo --model ./model --data train.jsonl --eval-data test.jsonl --beta 0.05 --steps 500
  collimate dpo --model ./model --data pairs.jsonl --set checkpointEvery=100 --dry-run`,
  },
]
