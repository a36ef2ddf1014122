import { checkSuite } from '@collimate/laws'
import { describe, expect, it } from 'vitest'
import { objectiveSuites } from './objective-laws.js'

describe.each(objectiveSuites().map((suite) => [suite.subject, suite] as const))('laws of %s', (_, suite) => {
  it('hold', async () => {
    expect(suite.unproven).toEqual([])
    const results = await checkSuite(suite, { runs: 20, seed: 1 })
    expect(results.flatMap(({ message }) => message ?? [])).toEqual([])
  })
})
