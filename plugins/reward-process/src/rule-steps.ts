import { combineRules, unscored } from '@collimate/rewards'
import type { Rule, RuleInput } from '@collimate/rewards'
import type { ScoreSteps } from './score-steps.js'
import type { Steps } from './steps.js'

/**
 * Asks rules about every step by itself: its own text and tokens, with what was written before it beside. A step that no rule
 * scores gets 0, as one that nothing was said of; a completion of which no step is scored is refused
 * (COLLIMATE_REWARD_UNSCORED). A step ends by itself, the last one as its completion did. A part is the sum over the steps.
 */
export function scoreByRules(rules: readonly Rule[]): ScoreSteps {
  return async (all) => {
    const inputs = all.flatMap((steps, at) => inputsOf(steps).map((input) => ({ at, input })))
    const place = (number: number): string => {
      const { at, input } = inputs[number]
      return `rollout ${at}, step ${(input.step?.index ?? 0) + 1} of ${input.step?.count}`
    }
    const found = await combineRules(
      rules,
      inputs.map(({ input }) => input),
      place,
    )
    const scores = all.map(({ ends }) => new Float64Array(ends.length))
    const parts = rules.map(({ name }) => [name, new Float64Array(all.length)] as const)
    const scored = new Uint8Array(all.length)
    inputs.forEach(({ at, input }, number) => {
      scores[at][input.step?.index ?? 0] = found.totals[number]
      for (const [name, sums] of parts) sums[at] += found.parts[name][number]
      if (found.scored[number] === 1) scored[at] = 1
    })
    const silent = all.findIndex(({ ends }, at) => ends.length > 0 && scored[at] === 0)
    if (silent !== -1)
      throw unscored(`any step of rollout ${silent}`, { completion: all[silent].rollout.completion.text })
    return { scores, parts: Object.fromEntries(parts) }
  }
}

function inputsOf({ rollout, ends, said }: Steps): RuleInput[] {
  const { prompt, completion, columns, endedBy } = rollout
  return Array.from(ends, (end, index) => {
    const begin = index === 0 ? 0 : ends[index - 1] + 1
    const isLast = index === ends.length - 1
    return {
      ...{ prompt: prompt.text, promptIds: prompt.ids, columns },
      completion: said.slice(begin, end + 1).join(''),
      completionIds: completion.ids.slice(begin, end + 1),
      ...(isLast ? endedBy && { endedBy } : { endedBy: 'stop' as const }),
      step: { index, count: ends.length, before: said.slice(0, begin).join('') },
    }
  })
}
