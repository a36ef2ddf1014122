import { checkLaw, type LawResult, type LawSuite } from '@collimate/laws'
import type { LawBook } from './books.js'

/** What came of the laws of one suite. */
export interface SuiteReport {
  readonly book: LawBook
  readonly suite: LawSuite
  readonly results: readonly LawResult[]
}

/** What a check tells while it goes on. */
export interface Listener {
  /** Before each case of a law; `law` counts from 1 to `laws`. */
  onCase(state: { suite: LawSuite; book: LawBook; law: number; laws: number; name: string; cases: number }): void
  /** After each suite, also one that was stopped half way. */
  onSuite(report: SuiteReport): void
}

/** Checks the laws of every book, one after another; stops before the next case once the signal is aborted. */
export async function checkBooks(
  books: readonly LawBook[],
  options: { readonly runs: number; readonly seed: number; readonly path?: string; readonly signal: AbortSignal },
  listener: Listener,
): Promise<readonly SuiteReport[]> {
  const laws = books.flatMap(({ suites }) => suites).reduce((sum, suite) => sum + suite.laws.length, 0)
  const reports: SuiteReport[] = []
  let law = 0
  for (const book of books)
    for (const suite of book.suites) {
      if (options.signal.aborted) return reports
      const results: LawResult[] = []
      try {
        for (const one of suite.laws) {
          law += 1
          let cases = 0
          const onCase = (): void => {
            cases += 1
            listener.onCase({ suite, book, law, laws, name: one.name, cases })
          }
          results.push(await checkLaw(one, { ...options, onCase }))
        }
      } catch (error) {
        if (!options.signal.aborted) throw error
      } finally {
        await suite.close()
      }
      reports.push({ book, suite, results })
      listener.onSuite(reports.at(-1)!)
    }
  return reports
}
