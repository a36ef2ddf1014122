import { unprovenMessage, type LawResult, type LawSuite } from '@collimate/laws'
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
export function suiteTable({ book, suite, results }: SuiteReport, width?: number): string {
  const rows = results.map((result) => lawRow(result))
  const unsupported = suite.unsupported.map(({ capability, laws }) => `${capability} (${laws.join(', ')})`)
  const declined = unsupported.length === 0 ? [] : [['  -', '', 'declared unsupported', unsupported.join(', ')]]
  const head = `${book.name}: ${suite.contract} ${suite.subject}`
  return `${[head, table([...rows, ...claimRows(suite), ...declined], width), ...counterexamples(results)].join('\n')}\n\n`
}

/** One suite as a line; what fails in it as in its table. */
export function suiteLine({ book, suite, results }: SuiteReport, width?: number): string {
  const failed = results.filter(({ status }) => status === 'fails')
  const rows = [...failed.map((result) => lawRow(result)), ...claimRows(suite)]
  const laws = String(results.length).padStart(4)
  const cases = String(results.reduce((sum, { runs }) => sum + runs, 0)).padStart(6)
  const unsupported = suite.unsupported.map(({ capability }) => capability)
  const declined = unsupported.length === 0 ? '' : `; declared unsupported: ${unsupported.join(', ')}`
  const line = `${rows.length === 0 ? 'holds' : 'FAILS'} ${laws} laws ${cases} cases  ${book.name}: ${suite.contract} ${suite.subject}${declined}`
  if (rows.length === 0) return `${line}\n`
  return `${[line, table(rows, width), ...counterexamples(results)].join('\n')}\n\n`
}

const lawRow = ({ law, status, runs }: LawResult): string[] => [
  status === 'holds' ? '  holds' : '  FAILS',
  String(runs).padStart(6),
  law.name,
  law.statement,
]

const claimRows = (suite: LawSuite): string[][] =>
  suite.unproven.map((claim) => ['  FAILS', '', `claim ${claim}`, unprovenMessage(suite, claim)])

const counterexamples = (results: readonly LawResult[]): string[] =>
  results.flatMap(({ message }) => (message === undefined ? [] : ['', indented(message)]))

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
