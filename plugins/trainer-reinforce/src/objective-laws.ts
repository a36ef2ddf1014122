import type { Objective } from '@collimate/core'
import type { Tensor } from '@collimate/graph'
import { lawsOfObjective, type ExampleCase, type LawSuite } from '@collimate/laws'
import type { ReinforceLossOptions } from './loss-options.js'
import { reinforceLossOptions } from './loss-options.js'
import { LOG_RATIO_LIMIT, reinforceObjective } from './objective.js'

/** The suites of every loss type, of both kinds of action, and of the estimators of the KL. */
export function objectiveSuites(): LawSuite[] {
  return [
    {},
    { importanceSamplingLevel: 'token', cliprangeHigh: 0.28 },
    { lossType: 'grpo', importanceSamplingLevel: 'token', beta: 0.04, klEstimator: 'k3' },
    { lossType: 'grpo', cliprangeHigh: 0.4 },
    { lossType: 'dr_grpo', importanceSamplingLevel: 'token', maxCompletionLength: 7 },
    { lossType: 'dapo', importanceSamplingLevel: 'token', beta: 0.5, klEstimator: 'k2' },
    { lossType: 'bnpo', beta: 0.5, klEstimator: 'k3', klRatio: true },
    { beta: 0.5 },
    { beta: 0.5, klEstimator: 'k1', klRatio: true },
  ].map(suiteOfLoss)
}

/** The suite of one configured loss. */
function suiteOfLoss(given: object): LawSuite {
  const options = reinforceLossOptions.parse(given)
  const settings = Object.entries(given).map(([name, value]) => `${name} ${String(value)}`)
  return lossSuite(`reinforce (${settings.join(', ') || 'defaults'})`, reinforceObjective(options), options)
}

/** The laws of an objective that says it is the loss of these options. */
export const lossSuite = (name: string, objective: Objective<Tensor>, options: ReinforceLossOptions): LawSuite =>
  lawsOfObjective({
    ...{ name, objective, kind: 'sequences', claims: { fullGradient: true } },
    formula: (examples) => meanLoss(options, examples),
  })

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const mean = (values: readonly number[]): number => sum(values) / values.length
const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high)

/** The loss in plain numbers. */
function meanLoss(options: ReinforceLossOptions, examples: readonly ExampleCase[]): number {
  const { lossType, importanceSamplingLevel, maxCompletionLength } = options
  const completions = examples.map(({ sequences: [{ tokens, whole }] }) => {
    const ratios = tokens.map(({ logProbs, oldLogProbs }) => logProbs - oldLogProbs)
    const divergences = tokens.map(({ logProbs, refLogProbs }) => logProbs - refLogProbs)
    if (importanceSamplingLevel === 'token')
      return tokens.map(({ advantages }, t) => actionLoss(options, ratios[t], advantages, divergences[t]))
    if (lossType === 'rloo') return [actionLoss(options, sum(ratios), whole.advantages, sum(divergences))]
    return divergences.map((divergence) => actionLoss(options, mean(ratios), whole.advantages, divergence))
  })
  switch (lossType) {
    case 'rloo':
      return mean(completions.map(sum))
    case 'grpo':
      return mean(completions.map(mean))
    case 'dr_grpo':
      return mean(completions.map((losses) => sum(losses) / maxCompletionLength))
    case 'bnpo':
    case 'dapo':
      return mean(completions.flat())
  }
}

/** Clipped surrogate and KL of one action. */
function actionLoss(options: ReinforceLossOptions, logRatio: number, advantage: number, divergence: number): number {
  const { cliprange, cliprangeHigh = cliprange, beta, klEstimator, klRatio } = options
  const ratio = Math.exp(clamp(logRatio, -LOG_RATIO_LIMIT, LOG_RATIO_LIMIT))
  const surrogate = -Math.min(ratio * advantage, clamp(ratio, 1 - cliprange, 1 + cliprangeHigh) * advantage)
  if (beta === 0) return surrogate
  const kl = {
    k1: () => divergence,
    k2: () => divergence ** 2 / 2,
    k3: () => Math.expm1(clamp(-divergence, -LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)) + divergence,
  }[klEstimator]()
  return surrogate + beta * (klRatio ? ratio : 1) * kl
}
