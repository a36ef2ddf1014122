import { errorLine } from '@collimate/core'
import { exitStatus, usageError } from '../failure.js'
import { stoppable } from '../stoppable.js'
import { asData } from './as-data.js'
import { openLibrary } from './books.js'
import { catalogue } from './catalogue.js'
import { checkBooks, type SuiteReport } from './check-books.js'
import { choose } from './choose.js'
import { closingLine, suiteLine, suiteTable, tally, unboundLines } from './lines.js'
import { progressLine } from './progress.js'

export interface LawsOptions {
  readonly runs: number
  readonly seed?: number
  readonly path?: string
  readonly law: readonly string[]
  readonly subject?: string
  readonly json?: boolean
  readonly list?: boolean
  readonly verbose?: boolean
}

/** Checks the laws of the named plugins, or of all, and tells what was found. */
export async function runLaws(names: readonly string[], options: LawsOptions): Promise<void> {
  const { runs, path, json = false, law: laws, subject } = options
  if (path !== undefined && (laws.length !== 1 || options.seed === undefined))
    throw usageError('--path replays one law', 'give its --law and --seed too')
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31)
  const library = await openLibrary(names)
  const books = choose(library.books, { laws, ...(subject !== undefined && { subject }) })
  if (options.list) return void process.stdout.write(catalogue(books))
  const brief = names.length === 0 && laws.length === 0 && !options.verbose
  const progress = progressLine(process.stderr, runs)
  const onSuite = (report: SuiteReport): void => {
    progress.clear()
    if (!json) process.stdout.write((brief ? suiteLine : suiteTable)(report))
  }
  const { reports, interrupted } = await stoppable(async (signal) => ({
    reports: await checkBooks(
      books,
      { runs, seed, signal, ...(path !== undefined && { path }) },
      { onCase: progress.show, onSuite },
    ),
    interrupted: signal.aborted,
  }))
  progress.clear()
  const counts = tally(reports, books)
  if (json) {
    process.stdout.write(`${JSON.stringify(asData({ library, books, reports, runs, seed, interrupted }), null, 2)}\n`)
  } else {
    for (const book of books) process.stdout.write(unboundLines(book))
    for (const name of library.lawless) process.stdout.write(`${name}: has no laws\n`)
    process.stdout.write(closingLine(counts, seed, interrupted))
  }
  for (const { package: name, error } of library.broken)
    process.stderr.write(`error ${name} is installed and does not load: ${errorLine(error)}\n`)
  if (counts.fails > 0 || library.broken.length > 0) process.exitCode = exitStatus.failure
  if (interrupted) process.exitCode = exitStatus.interrupted
}
