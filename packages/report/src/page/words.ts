import type { Report } from '../report.js'

/** How a reward is called on the page: where the gold one is known, the one of training is its proxy. */
export function rewardName(name: string, { measured, arms }: Pick<Report, 'measured' | 'arms'>): string {
  const known = measured?.rewards ?? [...new Set(arms.flatMap(({ final }) => Object.keys(final ?? {})))]
  if (name === 'gold') return 'gold reward'
  if (name === 'reward') return known.includes('gold') ? 'proxy reward' : 'reward'
  return name
}

/** The rewards of a report, that of the judge first. */
export function rewardsOf({ measured, arms }: Pick<Report, 'measured' | 'arms'>): readonly string[] {
  if (measured) return measured.rewards
  const named = new Set(arms.flatMap(({ evaluations }) => evaluations.flatMap(({ metrics }) => Object.keys(metrics))))
  return ['gold', 'reward'].filter((name) => named.has(name))
}

export const methodsOf = ({ arms }: Pick<Report, 'arms'>): readonly string[] => [
  ...new Set(arms.map(({ method }) => method)),
]

/** The model that all are measured against, as a sentence calls it. */
export function referenceName({ arms }: Pick<Report, 'arms'>): string {
  const [first, ...more] = arms.filter(({ isReference }) => isReference)
  if (!first || more.length > 0) return 'the reference'
  return first.method === 'sft' ? 'the SFT model' : 'the reference'
}

/** What an arm is called beside a point of its method: its settings alone, where it has any. */
export const settingsLabel = (arm: Report['arms'][number], method: string): string =>
  arm.label.startsWith(`${method} `) ? arm.label.slice(method.length + 1) : arm.label
