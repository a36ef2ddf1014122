/** The reward that decides who wins: what is really wanted where it is known, else what training sees, else the first. */
export const judgeOf = (rewards: readonly string[]): string | undefined =>
  ['gold', 'reward'].find((name) => rewards.includes(name)) ?? rewards[0]

/** The reward that training sees, of which others may be the judge. */
export const proxyOf = (rewards: readonly string[]): string | undefined =>
  rewards.includes('reward') ? 'reward' : rewards[0]

const renamed: Readonly<Record<string, string>> = {
  'completions/mean_length': 'length',
  'completions/clipped_ratio': 'cut',
}

/** Names of evaluations without `eval_`, as the report has them. */
export function evaluationName(metric: string): string {
  const name = metric.replace(/^eval_/, '')
  return renamed[name] ?? name
}
