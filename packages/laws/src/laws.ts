import { createBus } from '@collimate/core'
import { createTokenizer } from '@collimate/data'
import { lawsOfBus } from './bus/index.js'
import { lawsOfForests, lawsOfTokenizer } from './data/index.js'
import { usualTokenizers } from './data/rows.js'
import { lawsOfEstimator } from './estimator/index.js'
import { ownEstimators } from './estimator/own-estimators.js'
import { lawsOfFormulas } from './formulas/index.js'
import { lawsOfNewHead, lawsOfPolicy, newHead } from './policy/index.js'
import { lawsOfRewardSource } from './reward/index.js'
import { lettersInCommon } from './reward/letters-in-common.js'
import type { LawSuite } from './suite.js'
import { lawsOfOptimum, makeWorld, tabularPolicy } from './world/index.js'

/** The laws of the packages themselves: the mathematics, estimators, a reward, the enumerable world and its policy, the bus, batches and tokenizers. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfFormulas({ name: 'formulas' }),
    lawsOfOptimum(),
    ...ownEstimators.map(lawsOfEstimator),
    lawsOfRewardSource({
      name: 'letters in common',
      create: lettersInCommon,
      claims: { deterministic: true, bounded: [0, 1], granularity: 'sequence' },
    }),
    lawsOfPolicy({
      name: 'tabular policy',
      create: async (objective) => tabularPolicy(smallWorld(), { objective }),
      tolerance: 1e-9,
    }),
    lawsOfNewHead({ name: 'new head of @collimate/models', create: newHead }),
    lawsOfBus({ name: 'bus of @collimate/core', create: createBus }),
    lawsOfForests({ name: 'forests of @collimate/data' }),
    ...usualTokenizers().map(({ name, files }) =>
      lawsOfTokenizer({
        name: `tokenizer that ${name}`,
        create: () => createTokenizer(files),
        claims: { lossless: true },
      }),
    ),
  ]
}

/** Three prompts of two letters, fifteen completions of up to three, and a reference far from uniform. */
function smallWorld() {
  const table = (cell: (x: number, y: number) => number): number[][] =>
    [0, 1, 2].map((x) => Array.from({ length: 15 }, (_, y) => cell(x, y)))
  return makeWorld({
    letters: 2,
    maxLength: 3,
    beta: 1,
    rewards: table((x, y) => (x + y) % 4),
    referenceLogits: table((x, y) => 2 * Math.sin(3 * y + x)),
  })
}
