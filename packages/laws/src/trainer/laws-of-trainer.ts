import { suiteOf, type LawSuite } from '../suite.js'
import { gradientLaws } from './gradient-laws.js'
import { optimumLaws } from './optimum-laws.js'
import { proximalLaws } from './proximal-laws.js'
import { recordLaws } from './record-laws.js'
import { rewardModelLaws } from './reward-model-laws.js'
import { rolloutLaws } from './rollout-laws.js'
import { runLaws } from './run-laws.js'
import { stepLaws } from './step-laws.js'
import { subjectOf, type TrainerSubject } from './subject.js'

/**
 * The laws of a trainer, driven through its contract in the enumerable world: it reaches the optimum that its manifest claims,
 * resumes in the same bits, reports what it does and measures what is there.
 */
export function lawsOfTrainer(given: TrainerSubject): LawSuite {
  const subject = subjectOf(given)
  return suiteOf({
    contract: 'trainer',
    subject: given.name,
    laws: [
      ...[...optimumLaws(subject), ...gradientLaws(subject), ...rolloutLaws(subject)],
      ...[
        ...proximalLaws(subject),
        ...rewardModelLaws(subject),
        ...stepLaws(subject),
        ...runLaws(subject),
        ...recordLaws(subject),
      ],
    ],
    claims: given.claims ?? {},
    close: () => subject.close(),
  })
}
