import type { Example } from '@collimate/core'

/**
 * Positions within a completion of the tokens that are scored: those that its mask selects and that have a token before
 * them, in the completion or in the prompt.
 */
export function scoredTokens(example: Pick<Example, 'prompt' | 'completions' | 'masks'>, completion: number): number[] {
  const length = example.completions[completion]?.length ?? 0
  const mask = example.masks?.[completion]
  const positions: number[] = []
  for (let at = example.prompt.length === 0 ? 1 : 0; at < length; at++) {
    if (mask === undefined || mask[at] === 1) positions.push(at)
  }
  return positions
}
