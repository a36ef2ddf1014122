import { testLaws } from '@collimate/laws'
import { test } from 'vitest'
import laws from './laws.js'

// One test per law. A failure prints the law, the smallest counterexample that was found, and the seed to try it again.
for (const suite of await laws()) testLaws(suite, { test })
