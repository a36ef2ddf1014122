import type { Scorable } from '@collimate/core'

/** One step of a completion that is scored by itself. */
export interface RuleStep {
  /** From 0. */
  readonly index: number
  /** Steps of the completion. */
  readonly count: number
  /** What was written before it: the text of the earlier steps. */
  readonly before: string
}

/** What a rule looks at: a completion, or one step of it. The arrays are those of the rollout: read them, do not write. */
export interface RuleInput {
  readonly prompt: string
  readonly completion: string
  readonly promptIds: Int32Array
  readonly completionIds: Int32Array
  /** The other columns of the data row that the prompt came from. */
  readonly columns: Readonly<Record<string, unknown>>
  /** Absent where nobody knows how the completion ended, as for a row of a dataset. */
  readonly endedBy?: 'stop' | 'length'
  /** Where a step is scored: `completion` and `completionIds` are that step alone. */
  readonly step?: RuleStep
}

/** Scores a completion, higher is better; null: it cannot say, and does not count for this completion. */
export type RuleFunction = (input: RuleInput) => number | null | Promise<number | null>

/** A rule of a reward, ready to be asked. */
export interface Rule {
  /** Unique in its reward: what its part of the score is called. */
  readonly name: string
  readonly weight: number
  readonly score: RuleFunction
}

export function ruleInput({ prompt, completion, columns, endedBy }: Scorable): RuleInput {
  return {
    ...{ prompt: prompt.text, completion: completion.text, promptIds: prompt.ids, completionIds: completion.ids },
    columns,
    ...(endedBy && { endedBy }),
  }
}
