import { checkLaw, type CheckOptions } from './check.js'
import type { LawSuite } from './suite.js'

/** The part of a test runner that suites need; vitest and node:test both have it. */
export interface TestRunner {
  /** Registers a test; vitest's `test`, node:test's `test`. With `skip`, what is declared unsupported stands as skipped. */
  readonly test: ((name: string, run: () => Promise<void>) => unknown) & {
    readonly skip?: (name: string, run: () => Promise<void>) => unknown
  }
}

/**
 * Registers a suite with a test runner: one test per law, one per claim without a law (which fails), one skipped test per
 * capability that is declared unsupported, and last one that closes the suite.
 */
export function testLaws(
  suite: LawSuite,
  runner: TestRunner,
  options: CheckOptions & { report?: (line: string) => void } = {},
): void {
  const { test } = runner
  const skip = test.skip ?? test
  const title = `${suite.contract} ${suite.subject}`
  for (const law of suite.laws) {
    test(`${title}: ${law.name}: ${law.statement}`, async () => {
      const { message } = await checkLaw(law, options)
      if (message !== undefined) throw new Error(message)
    })
  }
  for (const claim of suite.unproven) {
    test(`${title}: claims ${claim}`, async () => {
      throw new Error(unprovenMessage(suite, claim))
    })
  }
  for (const { capability, laws } of suite.unsupported) {
    const line = `${title}: declared unsupported: ${capability} (${laws.join(', ')})`
    options.report?.(line)
    skip(line, async () => undefined)
  }
  test(`${title}: closes`, () => suite.close())
}

/** What is wrong with a claim of the manifest that no law checks. */
export const unprovenMessage = ({ contract }: LawSuite, claim: string): string =>
  `the manifest claims "${claim}", and no law of the contract "${contract}" checks it`
