import { lawsOfObjective, lawsOfTrainer, lawsOfTrainerOptions, type ExampleCase, type LawSuite } from '@collimate/laws'
import trainer, { createTrainer, likelihood, options } from './index.js'

/** The laws of the method, in a world small enough to list every answer, of its loss, and of its options. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfTrainer({
      name: '__name__',
      create: (given) => createTrainer(options.parse(given)),
      objectives: () => likelihood,
      claims: trainer.definition.capabilities,
    }),
    lawsOfObjective({
      name: '__name__',
      objective: likelihood,
      kind: 'tokens',
      claims: { fullGradient: true },
      formula: meanLoss,
    }),
    // Every option changes a run, or its use is refused. Those that all trainers share are known; here come your own,
    // e.g. `beta: [{ value: 0.5 }, { value: -1, refused: true }]`.
    lawsOfTrainerOptions({
      plugin: trainer,
      create: (given) => createTrainer(options.parse(given)),
      objectives: () => likelihood,
      alternatives: {},
    }),
  ]
}

/** The loss once more, as plain numbers: the law compares the two. Do not share code with the objective. */
function meanLoss(examples: readonly ExampleCase[]): number {
  const tokens = examples.flatMap(({ sequences }) => sequences.flatMap((sequence) => sequence.tokens))
  return -tokens.reduce((sum, { logProbs }) => sum + logProbs, 0) / tokens.length
}
