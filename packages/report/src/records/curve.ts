import type { RunRecord } from './read-run.js'

/** What tells most about how training goes, the first that a trainer logs. */
const telling = ['reward', 'objective/scores', 'rewards/accuracies', 'accuracy', 'mean_token_accuracy', 'loss'] as const

/** The telling metric of a run over its steps; undefined where nothing was logged. */
export function curveOf({
  steps,
}: Pick<RunRecord, 'steps'>): { metric: string; points: [number, number][] } | undefined {
  const metric = telling.find((name) => steps.some(({ metrics }) => metrics[name] !== undefined))
  if (metric === undefined) return undefined
  const points = steps.flatMap(({ step, metrics }): [number, number][] =>
    metrics[metric] === undefined ? [] : [[step, metrics[metric]]],
  )
  return { metric, points }
}
