/** A kind of plugin for which there is a template. */
export interface KindTemplate {
  /** One line for the list of kinds. */
  readonly about: string
  /** Packages of ours that its code imports, beside @collimate/core. */
  readonly imports: readonly string[]
  /** Packages of ours that only its example imports. */
  readonly exampleImports: readonly string[]
}

/** The kinds of plugin that can be generated; `templates/kinds` has a folder for each. */
export const kinds = {
  reward: { about: 'scores completions', imports: [], exampleImports: [] },
  estimator: {
    about: 'turns rewards into advantages',
    imports: [],
    exampleImports: ['@collimate/data', '@collimate/graph'],
  },
  trainer: { about: 'a training method', imports: ['@collimate/data', '@collimate/graph'], exampleImports: [] },
  objective: { about: 'a loss that trainers can use', imports: ['@collimate/graph'], exampleImports: [] },
  backend: { about: 'runs tensor programs', imports: ['@collimate/graph'], exampleImports: [] },
  tracker: { about: 'watches a run', imports: [], exampleImports: [] },
  data: { about: 'where examples come from', imports: ['@collimate/data'], exampleImports: [] },
  evaluator: { about: 'measures a trained policy', imports: [], exampleImports: [] },
} as const satisfies Readonly<Record<string, KindTemplate>>

export type Kind = keyof typeof kinds

export const isKind = (text: string): text is Kind => Object.hasOwn(kinds, text)
