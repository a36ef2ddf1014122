import { lawsOfObjective, logSigmoid, rewardModelLoss, type LawSuite, type ObjectiveClaims } from '@collimate/laws'
import { rewardObjective } from './objective.js'
import { processObjective } from './process-objective.js'

/** The suites of the loss by itself, with margins, and with centring. */
export function objectiveSuites(): LawSuite[] {
  return [
    suiteOfLoss('reward', { margins: false }),
    suiteOfLoss('reward (margins)', { margins: true }),
    suiteOfLoss('reward (margins, centring 0.25)', { margins: true, centerRewardsCoefficient: 0.25 }),
    lawsOfObjective({
      ...{ name: 'reward-process', kind: 'tokens', objective: processObjective, claims: { fullGradient: true } },
      formula: (examples) => {
        const steps = examples.flatMap(({ sequences }) => sequences.flatMap(({ tokens }) => tokens))
        return steps.reduce((sum, step) => sum + crossEntropy(step.values, step.labels), 0) / steps.length
      },
    }),
  ]
}

/** −y log σ(v) − (1 − y) log σ(−v). */
const crossEntropy = (value: number, label: number): number =>
  -label * logSigmoid(value) - (1 - label) * logSigmoid(-value)

interface Given {
  readonly margins: boolean
  readonly centerRewardsCoefficient?: number
}

function suiteOfLoss(name: string, { margins, centerRewardsCoefficient = 0 }: Given): LawSuite {
  return lawsOfObjective({
    ...{ name, kind: 'pairs', objective: rewardObjective({ centerRewardsCoefficient }) },
    claims: claimsOf({ margins, centerRewardsCoefficient }),
    ...(!margins && { inputs: { margin: 0 } }),
    formula: (examples) =>
      rewardModelLoss(
        examples.map(({ sequences: [chosen, rejected], pair: { margin } }) => ({
          ...{ chosen: chosen.whole.scores, rejected: rejected.whole.scores, margin },
        })),
        centerRewardsCoefficient,
      ),
  })
}

function claimsOf({ margins, centerRewardsCoefficient = 0 }: Given): ObjectiveClaims {
  const always = { fullGradient: true, scoreMetrics: true } as const
  // Centring is not a matter of the difference: it breaks the shift on purpose, and with it what follows from it.
  if (centerRewardsCoefficient > 0) return { ...always, cancelsPartition: false }
  const ofDifference = { cancelsPartition: true, antisymmetric: true, monotone: true, margin: true } as const
  return { ...always, ...ofDifference, ...(!margins && { bradleyTerry: true, atReference: Math.LN2 }) }
}
