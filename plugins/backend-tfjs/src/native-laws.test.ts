import { testLaws } from '@collimate/laws'
import { describe, test } from 'vitest'
import { suiteOn } from './laws/suite-on.js'
import { nativeTfjsPackage } from './native-location.js'

// The laws of every plugin are checked by test/laws.test.ts; these need what not every machine has.
if (nativeTfjsPackage() === undefined)
  test.skip('the laws on native TensorFlow: npm run native-tfjs -w @collimate/backend-tfjs has staged none', () => {})
else
  describe('native TensorFlow', async () => {
    testLaws(await suiteOn('node'), { test }, { runs: 30, seed: 1 })
  })
