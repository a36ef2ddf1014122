import type { RewardSource, Scorable } from '@collimate/core'

/** The least that is a reward: the share of a completion's letters that stand in its prompt, 0 for an empty completion. */
export const lettersInCommon = (): RewardSource => ({
  score: async ({ rollouts }) => ({
    granularity: 'sequence',
    scores: rollouts.map((rollout) => Float64Array.of(share(rollout))),
  }),
  close: async () => undefined,
})

function share({ prompt, completion }: Scorable): number {
  const letters = [...completion.text]
  return letters.filter((letter) => prompt.text.includes(letter)).length / Math.max(1, letters.length)
}
