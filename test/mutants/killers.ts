import type { Law, LawSuite } from '@collimate/laws'
import fc from 'fast-check'

export interface Killing {
  readonly law: string
  /** What the law found. */
  readonly found: string
}

/** Laws whose cost is above it train whole models. */
const dear = 10

export interface KillOptions {
  /** Cases of a law, before division by its cost. */
  readonly runs: number
  readonly seed: number
  /** Stop when so many laws have failed, or one has and only dear laws are left; default: never. */
  readonly enough?: number
}

/**
 * The laws of a suite that an implementation breaks, the cheapest tried first. Fewer cases than a user's check, from one
 * seed, and without shrinking: here only whether a law fails matters.
 */
export async function killers(suite: LawSuite, { runs, seed, enough = Infinity }: KillOptions): Promise<Killing[]> {
  try {
    const killings: Killing[] = []
    for (const law of [...suite.laws].sort((a, b) => a.cost - b.cost)) {
      if (killings.length >= enough || (killings.length > 0 && law.cost > dear && enough < Infinity)) break
      const found = await breaks(law, { runs, seed })
      if (found !== undefined) killings.push({ law: law.name, found })
    }
    for (const claim of suite.unproven) killings.push({ law: `claims ${claim}`, found: 'no law checks it' })
    return killings
  } finally {
    await suite.close()
  }
}

async function breaks(law: Law, { runs, seed }: { runs: number; seed: number }): Promise<string | undefined> {
  const property = fc.asyncProperty(law.arbitrary, async (value) => {
    await law.holds(value)
  })
  const numRuns = Math.max(3, Math.round(runs / law.cost))
  const { failed, errorInstance } = await fc.check(property, { numRuns, seed, endOnFailure: true })
  if (!failed) return undefined
  return errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
}
