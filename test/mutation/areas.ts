/** A part of the mathematics that is mutated, with the tests that must notice. Globs from the repository's root. */
export interface Area {
  readonly mutate: readonly string[]
  readonly tests: readonly string[]
}

export const areas = {
  graph: {
    mutate: ['packages/graph/src/ops/*.ts', 'packages/graph/src/{gradients,simplify,rewrite}.ts'],
    tests: ['packages/graph/src/**/*.test.ts'],
  },
  objectives: {
    mutate: [
      'plugins/trainer-dpo/src/{objective,losses,divergences,match-by-rank,pair-tensors}.ts',
      'plugins/trainer-sft/src/objective.ts',
    ],
    tests: [
      'plugins/trainer-*/src/objective*.test.ts',
      'plugins/trainer-*/src/laws.test.ts',
      'test/dpo-losses.test.ts',
    ],
  },
  formulas: {
    mutate: ['packages/laws/src/formulas/*.ts', '!packages/laws/src/formulas/*-laws.ts'],
    tests: ['packages/laws/src/formulas/*.test.ts'],
  },
  statistics: {
    mutate: ['packages/core/src/{statistics,learning-rate}.ts'],
    tests: ['packages/core/src/{statistics,learning-rate}.test.ts'],
  },
} as const satisfies Record<string, Area>

export type AreaName = keyof typeof areas
export const areaNames = Object.keys(areas) as AreaName[]
