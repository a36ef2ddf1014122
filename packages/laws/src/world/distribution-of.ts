import type { Example, Reference } from '@collimate/core'
import { forestBatch, sumBySequence } from '@collimate/data'
import type { Distribution } from './exact.js'
import type { World } from './world.js'

/** The completions of a prompt as one example. */
export function exampleOf(
  index: number,
  prompt: readonly number[],
  completions: readonly (readonly number[])[],
): Example {
  return {
    index,
    prompt: Int32Array.from(prompt),
    completions: completions.map((completion) => Int32Array.from(completion)),
    text: { prompt: prompt.join(' '), completions: completions.map((completion) => completion.join(' ')) },
    columns: {},
  }
}

/** Completions that share a row where all of a world are scored: few enough for attention, many enough to share a prompt. */
const completionsPerRow = 16

/**
 * The distribution that a policy is in a world, exactly: every completion of every prompt is scored, [X][Y]. The policy's
 * vocabulary must be the world's for it to add up to 1.
 */
export async function distributionOf(
  policy: Pick<Reference, 'logProbs'>,
  { prompts, completions }: Pick<World, 'prompts' | 'completions'>,
  temperature = 1,
): Promise<Distribution> {
  const rows = prompts.flatMap((prompt, x) =>
    Array.from({ length: Math.ceil(completions.length / completionsPerRow) }, (_, row) =>
      exampleOf(x, prompt, completions.slice(row * completionsPerRow, (row + 1) * completionsPerRow)),
    ),
  )
  const batch = forestBatch(rows)
  const sums = sumBySequence(batch, await policy.logProbs({ batch, temperature }))
  const count = completions.length
  return prompts.map((_, x) => Array.from(sums.slice(x * count, (x + 1) * count)))
}
