import { unprovenMessage } from '@collimate/laws'
import { table } from '../table.js'
import type { LawBook } from './books.js'
import type { SuiteReport } from './check-books.js'

/** How many of what. */
export interface Tally {
  readonly holds: number
  readonly fails: number
  /** Laws that were not checked because the manifest does not claim what they are about. */
  readonly unsupported: number
  readonly cases: number
}

/** Counts over reports; a claim that no law checks is a failure, and so is one that no suite was given. */
export function tally(reports: readonly SuiteReport[], books: readonly LawBook[]): Tally {
  const sum = (count: (report: SuiteReport) => number): number => reports.reduce((n, one) => n + count(one), 0)
  return {
    holds: sum(({ results }) => results.filter(({ status }) => status === 'holds').length),
    fails:
      sum(({ results, suite }) => results.filter(({ status }) => status === 'fails').length + suite.unproven.length) +
      books.reduce((n, { unbound }) => n + unbound.length, 0),
    unsupported: sum(({ suite }) => suite.unsupported.reduce((n, { laws }) => n + laws.length, 0)),
    cases: sum(({ results }) => results.reduce((n, { runs }) => n + runs, 0)),
  }
}

/** One suite as a table of its laws, followed by what is known of each that fails. */
export function suiteLines({ book, suite, results }: SuiteReport, width?: number): string {
  const rows = results.map(({ law, status, runs }) => [
    status === 'holds' ? '  holds' : '  FAILS',
    String(runs).padStart(6),
    law.name,
    law.statement,
  ])
  const claims = suite.unproven.map((claim) => ['  FAILS', '', `claim ${claim}`, unprovenMessage(suite, claim)])
  const unsupported = suite.unsupported.map(({ capability, laws }) => `${capability} (${laws.join(', ')})`)
  const declined = unsupported.length === 0 ? [] : [['  -', '', 'declared unsupported', unsupported.join(', ')]]
  const blocks = results.flatMap(({ message }) => (message === undefined ? [] : ['', indented(message)]))
  const head = `${book.name}: ${suite.contract} ${suite.subject}`
  return `${[head, table([...rows, ...claims, ...declined], width), ...blocks].join('\n')}\n`
}

/** Capabilities of a manifest that no suite was given, one line each. */
export function unboundLines({ name, unbound }: LawBook): string {
  return unbound.map((claim) => `${name}: FAILS: its manifest claims ${claim}, and no suite was given it\n`).join('')
}

const indented = (text: string): string => text.replace(/^/gm, '    ')

/** The last line: how many of what, and how to have the same again. */
export function closingLine(counts: Tally, seed: number, interrupted: boolean): string {
  const { holds, fails, unsupported, cases } = counts
  const parts = [
    `${plural(holds, 'law')} ${holds === 1 ? 'holds' : 'hold'} (${plural(cases, 'case')})`,
    `${fails} ${fails === 1 ? 'fails' : 'fail'}`,
    `${unsupported} declared unsupported`,
  ]
  return `${interrupted ? 'interrupted: ' : ''}${parts.join(', ')}; seed ${seed}\n`
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
