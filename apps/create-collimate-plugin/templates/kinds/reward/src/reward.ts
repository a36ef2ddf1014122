import { CollimateError, type RewardSource } from '@collimate/core'

/** How long a completion is. */
export type Unit = 'words' | 'characters'

export interface LengthOptions {
  readonly target: number
  readonly unit: Unit
}

/** 0 for a text of the wanted length, falling in a straight line on both sides, never below −1: −min(1, |n − target| / target). */
export function lengthScore(text: string, { target, unit }: LengthOptions): number {
  const trimmed = text.trim()
  const length = unit === 'characters' ? trimmed.length : trimmed.split(/\s+/).filter((word) => word !== '').length
  return -Math.min(1, Math.abs(length - target) / target)
}

/**
 * A reward source is asked for many completions at once and answers in their order. `granularity: 'sequence'` is one number
 * per completion; a score per token would be one number for each of `completion.ids`.
 */
export function lengthReward(options: LengthOptions): RewardSource {
  // What cannot work is refused here, before anything is trained, in one sentence with what to do.
  if (options.unit === 'characters' && options.target < 2)
    throw new CollimateError('COLLIMATE_OPTION_CONFLICT', 'target 1 in characters is no answer at all', {
      hint: 'count words, or give a longer target',
    })
  return {
    async score({ rollouts }) {
      return {
        granularity: 'sequence',
        scores: rollouts.map(({ completion }) => Float64Array.of(lengthScore(completion.text, options))),
      }
    },
    // Nothing to free. A source that keeps a connection or a process ends it here.
    async close() {},
  }
}
