import { languageModelOutputs } from '@collimate/models'
import { suiteOf, type LawSuite } from '../suite.js'
import { distributionLaws } from './distribution-laws.js'
import { headLaws } from './head-laws.js'
import { layoutLaws } from './layout-laws.js'
import { samplingLaws } from './sampling-laws.js'
import { stateLaws } from './state-laws.js'
import { subjectOf, type PolicySubject } from './subject.js'
import { updateLaws } from './update-laws.js'

/**
 * The laws of a policy, through its contract alone: it scores, samples and trains as a language model must, or as a reward
 * model or critic. Claims: `generate` (sampling) and `update` (training); what its heads are follows from `outputs`:
 * `language`, without which nothing is sampled, and `scores`, with which come `values`.
 */
export function lawsOfPolicy(given: PolicySubject): LawSuite {
  const subject = subjectOf(given)
  const outputs = given.outputs ?? languageModelOutputs
  const { generate = false, ...claims } = given.claims ?? { generate: true, update: true }
  const language = outputs.includes('logProbs')
  return suiteOf({
    contract: 'policy',
    subject: given.name,
    laws: [layoutLaws, headLaws, distributionLaws, samplingLaws, updateLaws, stateLaws].flatMap((laws) =>
      laws(subject),
    ),
    claims: { ...claims, generate: language && generate, language, scores: outputs.includes('scores') },
    close: () => subject.close(),
  })
}
