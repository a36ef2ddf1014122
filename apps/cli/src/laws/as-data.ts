import { errorLine } from '@collimate/core'
import type { LawBook, Library } from './books.js'
import type { SuiteReport } from './check-books.js'
import { tally } from './lines.js'

/** What `--json` prints. */
export function asData(parts: {
  library: Library
  books: readonly LawBook[]
  reports: readonly SuiteReport[]
  runs: number
  seed: number
  interrupted: boolean
}): Record<string, unknown> {
  const { library, books, reports, runs, seed, interrupted } = parts
  return {
    ...tally(reports, books),
    ...{ runs, seed, interrupted },
    suites: reports.map(({ book, suite, results }) => ({
      package: book.name,
      contract: suite.contract,
      subject: suite.subject,
      laws: results.map(({ law: { name, statement, formula, source }, status, runs: tried, message }) => ({
        ...{ name, status, runs: tried, statement, formula, source },
        ...(message !== undefined && { message }),
      })),
      unsupported: suite.unsupported,
      unproven: suite.unproven,
    })),
    unbound: books.flatMap(({ unbound }) => unbound),
    lawless: library.lawless,
    broken: library.broken.map(({ package: name, error }) => ({ package: name, error: errorLine(error) })),
  }
}
