import { suiteOf, type LawSuite } from '../suite.js'
import { distributionLaws } from './distribution-laws.js'
import { layoutLaws } from './layout-laws.js'
import { samplingLaws } from './sampling-laws.js'
import { stateLaws } from './state-laws.js'
import { subjectOf, type PolicySubject } from './subject.js'
import { updateLaws } from './update-laws.js'

/**
 * The laws of a policy, through its contract alone: it scores, samples and trains as a language model must. Claims:
 * `generate` (sampling) and `update` (training).
 */
export function lawsOfPolicy(given: PolicySubject): LawSuite {
  const subject = subjectOf(given)
  return suiteOf({
    contract: 'policy',
    subject: given.name,
    laws: [layoutLaws, distributionLaws, samplingLaws, updateLaws, stateLaws].flatMap((laws) => laws(subject)),
    claims: given.claims ?? { generate: true, update: true },
    close: () => subject.close(),
  })
}
