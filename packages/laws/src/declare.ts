import { checkLaw, type CheckOptions } from './check.js'
import type { LawSuite } from './suite.js'

/** The part of a test runner that suites need; vitest and node:test both have it. */
export interface TestRunner {
  /** Registers a test; vitest's `test`, node:test's `test`. */
  test(name: string, run: () => Promise<void>): unknown
}

/**
 * Registers a suite with a test runner: one test per law, one per claim without a law (which fails), one that reports what is
 * declared unsupported, and last one that closes the suite.
 */
export function testLaws(
  suite: LawSuite,
  runner: TestRunner,
  options: CheckOptions & { report?: (line: string) => void } = {},
): void {
  const title = `${suite.contract} ${suite.subject}`
  for (const law of suite.laws) {
    runner.test(`${title}: ${law.name}: ${law.statement}`, async () => {
      const { message } = await checkLaw(law, options)
      if (message !== undefined) throw new Error(message)
    })
  }
  for (const claim of suite.unproven) {
    runner.test(`${title}: claims ${claim}`, async () => {
      throw new Error(`the manifest claims "${claim}", and no law of the contract ${suite.contract} checks it`)
    })
  }
  runner.test(`${title}: closes`, async () => {
    for (const { capability, laws } of suite.unsupported) {
      options.report?.(`${title}: declared unsupported: ${capability} (${laws.join(', ')})`)
    }
    await suite.close()
  })
}
