import { lawsOfObjective, ownFormulas, type ExampleCase, type LawSuite } from '@collimate/laws'
import { maxLogRatio } from './clipped-surrogate.js'
import { ppoLossOptions, valueLossOptions } from './loss-options.js'
import type { PpoLossOptions, ValueLossOptions } from './loss-options.js'
import { ppoObjective } from './ppo-objective.js'
import { valueObjective } from './value-objective.js'

type Token = ExampleCase['sequences'][number]['tokens'][number]

/** The suites of the policy's loss, alone, with an entropy bonus and with the value loss, and of the critic's. */
export function objectiveSuites(): LawSuite[] {
  const policies = [{}, { cliprange: 0.1, cliprangeHigh: 0.5, entropyCoef: 0.25 }, { critic: 'shared', vfCoef: 0.5 }]
  return [...policies.map(suiteOfPolicyLoss), suiteOfValueLoss({}), suiteOfValueLoss({ cliprangeValue: 1, vfCoef: 1 })]
}

/** The suite of one configured loss of the policy. */
export function suiteOfPolicyLoss(given: object): LawSuite {
  const options = ppoLossOptions.parse(given)
  return lawsOfObjective({
    ...{ name: `ppo (${named(given)})`, objective: ppoObjective(options), kind: 'tokens' },
    claims: { fullGradient: true },
    formula: perToken((token) => policyLoss(options, token)),
  })
}

/** The suite of one configured loss of the critic. */
export function suiteOfValueLoss(given: object): LawSuite {
  const options = valueLossOptions.parse(given)
  return lawsOfObjective({
    ...{ name: `value (${named(given)})`, objective: valueObjective(options), kind: 'tokens' },
    claims: { fullGradient: true },
    formula: perToken((token) => valueLoss(options, token)),
  })
}

const named = (given: object): string =>
  Object.entries(given)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ') || 'defaults'

function policyLoss(options: PpoLossOptions, token: Token): number {
  const { cliprange: low, cliprangeHigh: high = low, entropyCoef, critic } = options
  const logRatio = Math.min(token.logProbs - token.oldLogProbs, maxLogRatio)
  const surrogate = ownFormulas.clippedSurrogate(logRatio, token.advantages, { low, high })
  return surrogate - entropyCoef * token.entropy + (critic === 'shared' ? valueLoss(options, token) : 0)
}

const valueLoss = ({ cliprangeValue, vfCoef }: ValueLossOptions, { values, oldValues, returns }: Token): number =>
  vfCoef * ownFormulas.clippedValueLoss(values, oldValues, returns, cliprangeValue)

/** The mean over the tokens of all examples. */
const perToken = (of: (token: Token) => number) => (examples: readonly ExampleCase[]) => {
  const tokens = examples.flatMap(({ sequences }) => sequences.flatMap((sequence) => sequence.tokens))
  return tokens.reduce((sum, token) => sum + of(token), 0) / tokens.length
}
