import fc from 'fast-check'
import { Violation, type Law } from './law.js'
import type { LawSuite } from './suite.js'

export interface CheckOptions {
  /** Cases per law, before division by the law's cost; at least 3 are tried. Default 100. */
  readonly runs?: number
  /** Replays a failure. Default: fresh. */
  readonly seed?: number
  /** Path of the shrunken case, as printed with a failure. */
  readonly path?: string
  /** Ends the check before its next case; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called after each case that was tried, shrunken ones included. */
  readonly onCase?: () => void
}

/** What came of one law. */
export interface LawResult {
  readonly law: Law
  readonly status: 'holds' | 'fails'
  /** Cases tried. */
  readonly runs: number
  readonly seed: number
  /** Only where it fails: the message of `failureMessage`. */
  readonly message?: string
}

/** How many cases of a law are tried for a number of runs. */
export const casesOf = ({ cost }: Law, runs = 100): number => Math.max(3, Math.round(runs / cost))

/** Checks one law on random cases; shrinks the first that fails. */
export async function checkLaw(law: Law, options: CheckOptions = {}): Promise<LawResult> {
  const { signal, onCase } = options
  const numRuns = casesOf(law, options.runs)
  const details = await fc.check(
    fc.asyncProperty(law.arbitrary, async (value) => {
      await breath()
      signal?.throwIfAborted()
      // A law written as an expression (`a === b`) says false where others throw.
      const said: unknown = await law.holds(value)
      onCase?.()
      if (said === false) throw new Violation('the law says false')
    }),
    {
      numRuns,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.path === undefined ? {} : { path: options.path }),
    },
  )
  signal?.throwIfAborted()
  const { failed, numRuns: runs, seed } = details
  if (!failed) return { law, status: 'holds', runs, seed }
  const replay = `seed ${seed}, path ${details.counterexamplePath ?? ''}`
  return {
    law,
    status: 'fails',
    runs,
    seed,
    message: failureMessage(law, details.counterexample, details.errorInstance, replay),
  }
}

/** Lets timers and signals through: cases that compute without waiting would keep them off until the last one. */
const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The law's sentence, the shrunken counterexample in the field's terms, what was found, and how to replay it. */
function failureMessage(law: Law, counterexample: readonly [unknown] | null, error: unknown, replay: string): string {
  return [
    `${law.name}: ${law.statement}`,
    `  formula         ${law.formula}`,
    `  source          ${law.source}`,
    `  counterexample  ${counterexample === null ? 'none could be generated' : indented(law.show(counterexample[0]))}`,
    `  found           ${indented(error instanceof Error ? error.message : String(error))}`,
    `  replay          ${replay}`,
  ].join('\n')
}

const indented = (text: string): string => text.trim().replace(/\n/g, `\n${' '.repeat(18)}`)

/** Checks every law of a suite without a test runner, one after another, and closes it. */
export async function checkSuite(suite: LawSuite, options: CheckOptions = {}): Promise<LawResult[]> {
  try {
    const results: LawResult[] = []
    for (const law of suite.laws) results.push(await checkLaw(law, options))
    return results
  } finally {
    await suite.close()
  }
}
