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
