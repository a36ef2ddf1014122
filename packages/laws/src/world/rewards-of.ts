import type { Model } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { exampleOf } from './distribution-of.js'
import type { Table, World } from './world.js'

/** The reward that a model with output `scores` gives each completion of each prompt of a world, [X][Y]. */
export async function rewardsOf(
  model: Pick<Model, 'outputs'>,
  { prompts, completions }: Pick<World, 'prompts' | 'completions'>,
): Promise<Table> {
  const rewards: number[][] = []
  for (const [x, prompt] of prompts.entries()) {
    const { scores } = await model.outputs({
      batch: forestBatch([exampleOf(x, prompt, completions)]),
      names: ['scores'],
    })
    rewards.push(Array.from(scores ?? []))
  }
  return rewards
}
