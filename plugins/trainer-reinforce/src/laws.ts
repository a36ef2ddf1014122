import type { ObjectiveUse } from '@collimate/core'
import {
  baselineEstimator,
  lawsOfTrainer,
  lawsOfTrainerOptions,
  type BaselineName,
  type LawSuite,
} from '@collimate/laws'
import {
  reinforce,
  reinforceLossOptions,
  reinforceObjective,
  reinforceOptions,
  reinforceTrainer,
  type ReinforceOptions,
} from './index.js'
import { objectiveSuites } from './objective-laws.js'

export { lossSuite } from './objective-laws.js'

/**
 * The laws of the trainer with its defaults; that it climbs ∇J and reaches the optimum with every unbiased baseline, with the
 * KL in the reward and in the loss; the laws of its loss and of its options.
 */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfTrainer({
      name: 'reinforce',
      create: (options) => reinforceTrainer(reinforceOptions.parse(options)),
      objectives,
      estimator: () => baselineEstimator('leave-one-out'),
      claims: reinforce.definition.capabilities,
    }),
    ...variants.map(climbingSuite),
    ...objectiveSuites(),
    lawsOfTrainerOptions({
      plugin: reinforce,
      create: (options) => reinforceTrainer(options as ReinforceOptions),
      objectives,
      estimator: () => baselineEstimator('moving-average'),
      base: { maxNewTokens: 2 },
      alternatives: {
        lossType: [
          ...(['grpo', 'dr_grpo', 'dapo', 'bnpo'] as const).map((value) => ({ value })),
          { value: 'x', refused: true },
        ],
        importanceSamplingLevel: [{ value: 'token', with: severalUpdates }],
        cliprange: [
          { value: 0.01, with: severalUpdates },
          { value: 0, refused: true },
        ],
        cliprangeHigh: [{ value: 0.01, with: severalUpdates }],
        beta: [{ value: 1 }, { value: -1, refused: true }],
        klIn: [{ value: 'loss' }],
        klEstimator: [
          { value: 'k3', with: { klIn: 'loss' } },
          { value: 'k1', with: { klIn: 'loss', klRatio: true } },
          { value: 'k1', with: { klIn: 'loss' }, refused: conflict },
          { value: 'k2', refused: conflict },
          { value: 'k3', refused: conflict },
          { value: 'k3', with: { klIn: 'loss', beta: 0 }, refused: conflict },
        ],
        klRatio: [
          { value: true, with: { klIn: 'loss', klEstimator: 'k3' } },
          { value: true, refused: conflict },
        ],
        klTarget: [
          { value: 0.01 },
          { value: 1, with: { klIn: 'loss' }, refused: conflict },
          { value: 1, with: { beta: 0 }, refused: conflict },
        ],
        klHorizon: [
          { value: 100, with: { klTarget: 0.01 } },
          { value: 100, refused: conflict },
        ],
        baselineDecay: [
          { value: 0.1, with: { learningRate: 0.1, batchSize: 2 } },
          { value: 1, refused: true },
        ],
        numIterations: [{ value: 2 }, { value: 0, refused: true }],
        numMiniBatches: [{ value: 2 }, { value: 9, refused: conflict }],
      },
    }),
  ]
}

interface Climb {
  readonly baseline: BaselineName
  readonly options?: object
  /** A step in groups of two is along ∇J times this. */
  readonly gradient: number
  /** That it then comes to the optimum is checked too; default true. It takes a second for each world. */
  readonly arrives?: boolean
}

const variants: readonly Climb[] = [
  { baseline: 'no-baseline', gradient: 1 },
  { baseline: 'moving-average', gradient: 1 },
  { baseline: 'group-mean', gradient: 1 / 2 },
  { baseline: 'leave-one-out', options: { importanceSamplingLevel: 'token' }, gradient: 1, arrives: false },
  { baseline: 'leave-one-out', options: { klIn: 'loss' }, gradient: 1 },
  {
    ...{ baseline: 'leave-one-out', options: { klIn: 'loss', klEstimator: 'k1', klRatio: true } },
    ...{ gradient: 1, arrives: false },
  },
  { baseline: 'leave-one-out', options: { klIn: 'loss', klEstimator: 'k3', klRatio: true }, gradient: 1 },
]

/** The laws about where it goes, of other options than the defaults. */
function climbingSuite({ baseline, options = {}, gradient, arrives = true }: Climb): LawSuite {
  const named = Object.entries(options).map(([name, value]) => `${name} ${String(value)}`)
  const suite = lawsOfTrainer({
    name: `reinforce (${[baseline, ...named].join(', ')})`,
    create: (given) => reinforceTrainer(reinforceOptions.parse({ ...given, ...options })),
    objectives,
    estimator: () => baselineEstimator(baseline),
    claims: { optimum: 'reward', policyGradient: gradient },
  })
  const wanted = ['reinforce/expected-step', ...(arrives ? ['trainer/reward'] : [])]
  return { ...suite, laws: suite.laws.filter(({ name }) => wanted.includes(name)), unsupported: [] }
}

const conflict = 'COLLIMATE_OPTION_CONFLICT'

/** Ratios leave 1 where several updates are made of one batch of rollouts. */
const severalUpdates = { numIterations: 3, learningRate: 0.3 }

const objectives = ({ options }: ObjectiveUse) => reinforceObjective(reinforceLossOptions.parse(options))
