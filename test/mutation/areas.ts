/**
 * A part of the mathematics that is mutated, with the tests that must notice. Globs from the repository's root, without
 * commas: they are handed on in a list.
 */
export interface Area {
  readonly mutate: readonly string[]
  readonly tests: readonly string[]
}

const within = (folder: string, names: string): string[] => names.split(' ').map((name) => `${folder}/${name}.ts`)

export const areas = {
  graph: {
    mutate: ['packages/graph/src/ops/*.ts', ...within('packages/graph/src', 'gradients simplify rewrite')],
    tests: ['packages/graph/src/**/*.test.ts'],
  },
  objectives: {
    mutate: [
      ...within('plugins/trainer-dpo/src', 'objective losses divergences match-by-rank pair-tensors'),
      'plugins/trainer-sft/src/objective.ts',
    ],
    tests: [
      ...within('plugins/trainer-dpo/src', 'objective.test objective-laws.test match-by-rank.test divergences.test'),
      'plugins/trainer-sft/src/objective.test.ts',
      'test/dpo-losses.test.ts',
    ],
  },
  estimators: {
    mutate: [
      ...within('plugins/estimator-gae/src', 'estimator generalised-advantages'),
      ...within('plugins/estimator-sequence/src', 'estimator baselines statistics'),
      ...within('packages/rollouts/src', 'adaptive-kl kl-estimators penalised-rewards whiten'),
      ...within('plugins/trainer-ppo/src', 'clipped-surrogate clipped-value-loss explained-variance'),
      ...within('plugins/trainer-ppo/src', 'ppo-objective value-objective'),
      ...within('plugins/trainer-reinforce/src', 'moved-mean objective'),
      ...within('plugins/trainer-reward/src', 'objective pair-loss process-objective'),
    ],
    tests: [
      'plugins/estimator-*/src/*.test.ts',
      'packages/rollouts/src/rollout-mathematics.test.ts',
      ...within('plugins/trainer-ppo/src', 'objectives.test explained-variance.test'),
      ...within('plugins/trainer-reinforce/src', 'objective.test moved-mean.test'),
      'plugins/trainer-reward/src/objective.test.ts',
      'test/mutation/estimator-laws.ts',
    ],
  },
  formulas: {
    mutate: within('packages/laws/src/formulas', 'clipping gae groups kl reinforce stable'),
    tests: ['packages/laws/src/formulas/*.test.ts'],
  },
  statistics: {
    mutate: within('packages/core/src', 'statistics learning-rate'),
    tests: within('packages/core/src', 'statistics.test learning-rate.test'),
  },
} as const satisfies Record<string, Area>

export type AreaName = keyof typeof areas
export const areaNames = Object.keys(areas) as AreaName[]
