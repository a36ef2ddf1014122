import type { RuleInput } from '../rule.js'

/** A completion as a rule sees it; ids are the numbers of its words where none are given. */
export function input(completion: string, more: Partial<RuleInput> = {}): RuleInput {
  const ids = new Map<string, number>()
  const words = completion.split(' ').map((word) => ids.get(word) ?? ids.set(word, ids.size).get(word)!)
  return {
    ...{ prompt: 'Why?', completion, promptIds: Int32Array.of(1), completionIds: Int32Array.from(words), columns: {} },
    ...more,
  }
}
