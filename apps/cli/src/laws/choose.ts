import { groups, type Law, type LawSuite } from '@collimate/laws'
import { suggestion } from '@collimate/core'
import { usageError } from '../failure.js'
import type { LawBook } from './books.js'

/** Which laws to check. */
export interface Choice {
  /** Names of laws or of groups; none stands for all. */
  readonly laws: readonly string[]
  /** Part of the name of what is checked, e.g. `ipo`; absent stands for all. */
  readonly subject?: string
}

/**
 * The books without what was not chosen. A choice by law leaves out what is not a law: claims without one, and what is
 * declared unsupported.
 */
export function choose(books: readonly LawBook[], { laws, subject }: Choice): LawBook[] {
  if (laws.length === 0 && subject === undefined) return [...books]
  const suites = books.flatMap((book) => book.suites)
  for (const name of laws) {
    if (suites.some((suite) => suite.laws.some(named(name)))) continue
    const known = [
      ...new Set([...Object.keys(groups), ...suites.flatMap((suite) => suite.laws.map((law) => law.name))]),
    ]
    throw usageError(`no law is called ${JSON.stringify(name)}`, suggestion(name, known, 'laws and groups'))
  }
  const chosen = books
    .map((book) => ({
      ...book,
      suites: book.suites.flatMap((suite) => ofSuite(suite, laws, subject)),
      unbound: laws.length > 0 || subject !== undefined ? [] : book.unbound,
    }))
    .filter((book) => book.suites.length > 0)
  if (chosen.length === 0) {
    const known = [...new Set(suites.map((suite) => suite.subject))]
    throw usageError(`nothing that is checked is called ${JSON.stringify(subject)}`, `subjects: ${known.join(', ')}`)
  }
  return chosen
}

function ofSuite(suite: LawSuite, names: readonly string[], subject: string | undefined): LawSuite[] {
  if (subject !== undefined && !`${suite.contract} ${suite.subject}`.includes(subject)) return []
  if (names.length === 0) return [suite]
  const laws = suite.laws.filter((law) => names.some((name) => named(name)(law)))
  return laws.length === 0 ? [] : [{ ...suite, laws, unsupported: [], unproven: [] }]
}

const named =
  (name: string) =>
  (law: Law): boolean =>
    law.name === name || law.name.startsWith(`${name}/`)
