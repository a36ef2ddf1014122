import { lawsOfObjective, preferenceLoss, type LawSuite, type ObjectiveClaims } from '@collimate/laws'
import { lossNames, dpoLosses } from './losses.js'
import type { LossName } from './losses.js'
import { dpoObjective } from './objective.js'
import { dpoLossOptions } from './options.js'
import type { DpoLossOptions } from './options.js'

/** The suites of every loss, of those with smoothed labels, and of every divergence. */
export function objectiveSuites(): LawSuite[] {
  const smoothed = lossNames.filter((loss) => dpoLosses[loss].smoothing !== 'ignored')
  const divergences = [
    { fDivergenceType: 'forward_kl' },
    { fDivergenceType: 'js_divergence' },
    { fDivergenceType: 'alpha_divergence', fAlphaDivergenceCoef: 0.3 },
  ] as const
  return [
    ...lossNames.filter((loss) => dpoLosses[loss].smoothing !== 'required').map((loss) => ({ loss, beta: 0.5 })),
    ...smoothed.map((loss) => ({ loss, beta: 0.25, labelSmoothing: 0.2 })),
    ...divergences.map((divergence) => ({ loss: 'sigmoid', beta: 0.5, ...divergence })),
    { loss: 'sigmoid_norm', beta: 0.5, fDivergenceType: 'js_divergence' },
  ].map(suiteOfLoss)
}

/** The suite of one configured loss. */
export function suiteOfLoss(given: object): LawSuite {
  const options = dpoLossOptions.parse(given)
  const { loss, beta, labelSmoothing, fDivergenceType, fAlphaDivergenceCoef, discopopTau } = options
  const { beta: _, loss: __, ...others } = given as Readonly<Record<string, unknown>>
  const settings = Object.entries(others).map(([name, value]) => `, ${name} ${String(value)}`)
  return lawsOfObjective({
    name: `dpo (${loss}, β ${beta}${settings.join('')})`,
    objective: dpoObjective(options),
    kind: 'pairs',
    beta,
    claims: claimsOf(options),
    pairFormula: preferenceLoss(loss, {
      beta,
      labelSmoothing,
      divergence: fDivergenceType,
      alpha: fAlphaDivergenceCoef,
      tau: discopopTau,
    }),
  })
}

/** What each configured loss claims; the laws check all of it. */
export function claimsOf(options: DpoLossOptions): ObjectiveClaims {
  const { labelSmoothing: smoothing, fDivergenceType } = options
  const common = {
    fullGradient: true,
    sequenceSums: true,
    implicitRewards: true,
    atReference: valueAtReference(options),
  } as const
  const own = ofLoss(options.loss, smoothing)
  if (fDivergenceType === 'reverse_kl') return { ...common, ...own }
  // Scores are no longer log-ratios: only what depends on their order is left.
  return { ...common, cancelsPartition: false, ...(own.monotone ? { monotone: true } : {}) }
}

function ofLoss(loss: LossName, smoothing: number): ObjectiveClaims {
  const plain = smoothing === 0
  const ofDifference = { cancelsPartition: true, antisymmetric: true } as const
  const ofMeans = { cancelsPartition: 'equal lengths', antisymmetric: 'equal lengths' } as const
  const smoothedMinimum = Math.log((1 - smoothing) / smoothing)
  switch (loss) {
    case 'sigmoid':
      return plain
        ? { ...ofDifference, bradleyTerry: true, monotone: true }
        : { ...ofDifference, minimumAt: smoothedMinimum }
    case 'hinge':
      return { ...ofDifference, monotone: true }
    case 'ipo':
      return { ...ofMeans, minimumAt: 0.5 }
    case 'ipo_sum':
      return { ...ofDifference, minimumAt: 0.5 }
    case 'exo_pair':
      return { ...ofDifference, minimumAt: smoothedMinimum }
    case 'robust':
      return plain
        ? { ...ofDifference, bradleyTerry: true, monotone: true }
        : { ...ofDifference, monotone: true, unbiasedUnderFlips: smoothing }
    case 'aot':
      return { ...ofDifference, ...(plain ? { monotone: true } : { minimumAt: smoothedMinimum }) }
    case 'aot_unpaired':
      return { cancelsPartition: false, ...(plain ? { monotone: true } : { minimumAt: smoothedMinimum }) }
    case 'discopop':
      return ofDifference
    case 'sigmoid_norm':
      return { ...ofMeans, monotone: true }
    case 'bco_pair':
    case 'apo_zero':
      return { cancelsPartition: false, monotone: true }
    case 'nca_pair':
    case 'sppo_hard':
    case 'apo_down':
      return { cancelsPartition: false }
  }
}

/** The loss where the policy is its reference. */
function valueAtReference({ loss, beta, labelSmoothing: smoothing }: DpoLossOptions): number {
  const values: Readonly<Partial<Record<LossName, number>>> = {
    hinge: 1,
    apo_zero: 1,
    apo_down: 1,
    ipo: 1 / (4 * beta ** 2),
    ipo_sum: 1 / (4 * beta ** 2),
    sppo_hard: 1 / (2 * beta ** 2),
    bco_pair: 2 * Math.LN2,
    nca_pair: 2 * Math.LN2,
    discopop: Math.LN2 / 2 + 1 / 2,
    exo_pair: -Math.LN2 - Math.log(smoothing * (1 - smoothing)) / 2,
  }
  return values[loss] ?? Math.LN2
}
