/** The laws of estimators and of the losses that are made of them, for Stryker; `npm test` checks them in test/laws.test.ts. */
import { testLaws } from '@collimate/laws'
import { describe, test } from 'vitest'
import gae from '../../plugins/estimator-gae/src/laws.js'
import sequence from '../../plugins/estimator-sequence/src/laws.js'
import { formulaSuite } from '../../plugins/trainer-ppo/src/formula-laws.js'
import { objectiveSuites as ppo } from '../../plugins/trainer-ppo/src/objective-laws.js'
import { objectiveSuites as reinforce } from '../../plugins/trainer-reinforce/src/objective-laws.js'
import { objectiveSuites as reward } from '../../plugins/trainer-reward/src/objective-laws.js'

const suites = [...(await gae()), ...(await sequence()), formulaSuite(), ...ppo(), ...reinforce(), ...reward()]

describe('laws', () => {
  for (const suite of suites) testLaws(suite, { test }, { runs: 30, seed: 1 })
})
