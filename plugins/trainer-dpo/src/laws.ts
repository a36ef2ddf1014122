import { lawsOfTrainer, type LawSuite } from '@collimate/laws'
import { dpo, dpoLossOptions, dpoObjective, dpoOptions, dpoTrainer } from './index.js'
import { objectiveSuites } from './objective-laws.js'

/** The laws of the trainer with its default loss, and of every loss of the family. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfTrainer({
      name: 'dpo',
      create: (options) => dpoTrainer(dpoOptions.parse(options)),
      objectives: ({ options }) => dpoObjective(dpoLossOptions.parse(options)),
      claims: dpo.definition.capabilities,
    }),
    ...objectiveSuites(),
  ]
}
