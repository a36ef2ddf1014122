import type { LawSuite } from '@collimate/laws'

/** A known defect as a small wrong implementation, bound to the laws that must notice it. */
export interface Mutant {
  readonly id: string
  /** The live defects (`L3`) and bug classes (`class 27`) of the list in README.md that it stands for, or `-`. */
  readonly defect: string
  /** What is wrong, in one sentence. */
  readonly what: string
  suite(): LawSuite
}

/** Mutants of one right implementation, which must survive the laws that kill them. */
export interface MutantGroup {
  /** What is mutated, e.g. `dpo (sigmoid)`. */
  readonly subject: string
  original(): LawSuite
  readonly mutants: readonly Mutant[]
}

/** How one mutant differs: `wrong` makes it of the right implementation. */
export interface Mutation<Subject> {
  readonly id: string
  readonly defect: string
  readonly what: string
  wrong(right: Subject): Subject
}

/** Binds a right implementation and the mutations of it to the laws of its contract. */
export function mutantsOf<Subject>(parts: {
  readonly subject: string
  readonly right: Subject
  suite(implementation: Subject, name: string): LawSuite
  readonly mutations: readonly Mutation<Subject>[]
}): MutantGroup {
  const { subject, right, suite, mutations } = parts
  return {
    subject,
    original: () => suite(right, subject),
    mutants: mutations.map(({ id, defect, what, wrong }) => ({
      ...{ id, defect, what },
      suite: () => suite(wrong(right), id),
    })),
  }
}
