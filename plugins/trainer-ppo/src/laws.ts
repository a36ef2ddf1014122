import type { ObjectiveUse } from '@collimate/core'
import { gaeEstimator, lawsOfTrainer, lawsOfTrainerOptions, type LawSuite } from '@collimate/laws'
import {
  ppo,
  ppoLossOptions,
  ppoObjective,
  ppoOptions,
  ppoTrainer,
  valueLossOptions,
  valueObjective,
  type PpoOptions,
} from './index.js'
import { formulaSuite } from './formula-laws.js'
import { objectiveSuites } from './objective-laws.js'

/** The laws of the trainer with a critic of its own and with a shared one, of its losses and of their formulas. */
export default async function laws(): Promise<LawSuite[]> {
  const claims = ppo.definition.capabilities
  return [
    lawsOfTrainer({
      name: 'ppo',
      // The laws are about the policy at temperature 1 unless they say otherwise.
      create: (options) => ppoTrainer(ppoOptions.parse({ temperature: 1, ...options })),
      ...{ objectives, claims, estimator: gaeEstimator },
    }),
    lawsOfTrainer({
      name: 'ppo (shared critic)',
      create: (options) => ppoTrainer(ppoOptions.parse({ temperature: 1, ...options, critic: 'shared', vfCoef: 1 })),
      ...{ objectives, estimator: gaeEstimator, valueHead: true },
      claims: { ...claims, separateCritic: false },
    }),
    ...objectiveSuites(),
    formulaSuite(),
    lawsOfTrainerOptions({
      plugin: ppo,
      base: { learningRate: 0.05, batchSize: 4, numPpoEpochs: 2, maxNewTokens: 2 },
      create: (options) => ppoTrainer(options as PpoOptions),
      ...{ objectives, estimator: gaeEstimator, valueHead: true },
      alternatives,
    }),
  ]
}

function objectives({ use, options }: ObjectiveUse) {
  return use === 'value' ? valueObjective(valueLossOptions.parse(options)) : ppoObjective(ppoLossOptions.parse(options))
}

const conflict = 'COLLIMATE_OPTION_CONFLICT'

/** Uses of the options of PPO that have to show. */
const alternatives = {
  critic: [{ value: 'shared' }],
  beta: [{ value: 0.5 }, { value: -1, refused: true }],
  klEstimator: [{ value: 'k3' }],
  klTarget: [{ value: 0.1 }, { value: 0.1, with: { beta: 0 }, refused: conflict }],
  klHorizon: [
    { value: 10, with: { klTarget: 0.1 } },
    { value: 10, refused: conflict },
  ],
  criticLearningRate: [{ value: 0.01 }, { value: 0.01, with: { critic: 'shared' }, refused: conflict }],
  criticWarmupSteps: [{ value: 1 }, { value: 1, with: { critic: 'shared' }, refused: conflict }],
  cliprange: [{ value: 0.01 }, { value: 1, refused: true }],
  cliprangeHigh: [{ value: 0.01 }, { value: 0, refused: true }],
  cliprangeValue: [{ value: 0.01 }, { value: 0, refused: true }],
  // A separate critic forgets the factor of its loss: Adam divides by it, but for clipping and epsilon.
  vfCoef: [
    { value: 1, with: { critic: 'shared' } },
    { value: 0, refused: true },
  ],
  entropyCoef: [{ value: 0.5 }, { value: -1, refused: true }],
  numPpoEpochs: [{ value: 1 }, { value: 0, refused: true }],
  numMiniBatches: [{ value: 2 }, { value: 5, refused: conflict }],
  targetKl: [
    { value: 1e-9, with: { numPpoEpochs: 4 } },
    { value: 0, refused: true },
  ],
  whitenRewards: [{ value: true }],
  bootstrapTruncated: [
    { value: true },
    { value: true, with: { missingEosPenalty: 1 }, refused: conflict },
    { value: true, with: { maskTruncatedCompletions: true }, refused: conflict },
  ],
  maxLoss: [{ value: 1e-9, refused: 'COLLIMATE_DIVERGED' }],
} as const
