import { errorLine } from '@collimate/core'
import { Command, InvalidArgumentError } from 'commander'
import { exitStatus, usageError } from '../failure.js'
import { asData } from '../laws/as-data.js'
import { openLibrary } from '../laws/books.js'
import { catalogue } from '../laws/catalogue.js'
import { checkBooks, type SuiteReport } from '../laws/check-books.js'
import { choose } from '../laws/choose.js'
import { closingLine, suiteLine, suiteTable, tally, unboundLines } from '../laws/lines.js'
import { progressLine } from '../laws/progress.js'
import { stoppable } from '../laws/stoppable.js'

interface LawsOptions {
  readonly runs: number
  readonly seed?: number
  readonly path?: string
  readonly law: readonly string[]
  readonly subject?: string
  readonly json?: boolean
  readonly list?: boolean
  readonly verbose?: boolean
}

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text]

/** `collimate laws`: whether plugins keep the laws of the mathematics. */
export function lawsCommand(): Command {
  return new Command('laws')
    .description('check the laws of the mathematics on plugins, installed or local')
    .argument(
      '[plugins...]',
      'names (dpo, trainer-dpo, a package) or paths (a folder, a .ts file); default: everything',
    )
    .option('--runs <count>', 'random cases per law, fewer of those that are dear', count, 100)
    .option('--seed <integer>', 'try the same cases again', integer)
    .option('--path <path>', 'begin with the shrunken case of a failure; needs --law and --seed')
    .option('--law <name>', 'only this law, or this group of laws; may be repeated', collect, [])
    .option('--subject <text>', 'only what has this in its name, e.g. ipo')
    .option('--json', 'as JSON')
    .option('--verbose', 'every law of everything; without it a line per suite where no plugin is named')
    .option('--list', 'list the laws as a page of Markdown, and check none')
    .addHelpText(
      'after',
      `
Each row says how many cases were tried. The laws of a local plugin are in src/laws.ts of its folder, or beside my-reward.ts in my-reward.laws.ts.
Exit status: 0 every law holds, 1 one fails, 130 interrupted. docs/laws.md lists the laws.

Examples:
  collimate laws                                  everything that is installed
  collimate laws dpo --runs 1000
  collimate laws ./my-reward.ts
  collimate laws dpo --law bradley-terry/complement --seed 42 --path 3:0:1      a failure again`,
    )
    .action(check)
}

async function check(names: readonly string[], options: LawsOptions): Promise<void> {
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

function integer(text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.')
  return Number(text)
}

function count(text: string): number {
  const value = integer(text)
  if (value < 1) throw new InvalidArgumentError('It has to be 1 or more.')
  return value
}
