import type { Objective } from '@collimate/core'
import { mul, square } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { lawsOfObjective, preferenceLoss } from '@collimate/laws'
import type { LossFormula, ObjectiveClaims, PreferenceLossName } from '@collimate/laws'
import { dpoLossOptions, dpoObjective } from '@collimate/trainer-dpo'
import { sftObjective } from '@collimate/trainer-sft'
import type { z } from 'zod'
import { mutantsOf, type Mutation } from './mutant.js'
import { ofAnyLoss, ofPairs, ofTokens } from './objectives.js'
import { withLoss } from './objective-wraps.js'

const dpo = (options: z.input<typeof dpoLossOptions>): Objective<Tensor> => dpoObjective(dpoLossOptions.parse(options))
const beta = 0.5
type ObjectiveMutation = Mutation<Objective<Tensor>>

/** A right implementation of something else: how an option is ignored. */
const instead = (
  id: string,
  defect: string,
  what: string,
  options: z.input<typeof dpoLossOptions>,
): ObjectiveMutation => ({ id, defect, what, wrong: () => dpo(options) })

const pairs = (loss: PreferenceLossName, claims: ObjectiveClaims, mutations: readonly ObjectiveMutation[]) =>
  mutantsOf<Objective<Tensor>>({
    subject: `dpo (${loss})`,
    right: dpo({ beta, loss }),
    suite: (objective, name) =>
      lawsOfObjective({
        ...{ name, objective, beta, kind: 'pairs', pairFormula: preferenceLoss(loss, { beta }) },
        claims: { fullGradient: true, implicitRewards: true, ...claims },
      }),
    mutations,
  })

/** Mean negative log-likelihood over all tokens. */
const likelihood: LossFormula = (examples) => {
  const tokens = examples.flatMap(({ sequences }) => sequences.flatMap((sequence) => sequence.tokens))
  return -tokens.reduce((sum, { logProbs }) => sum + logProbs, 0) / tokens.length
}

const ofSigmoid: ObjectiveClaims = {
  ...{ cancelsPartition: true, bradleyTerry: true, monotone: true, antisymmetric: true, sequenceSums: true },
  atReference: Math.LN2,
}
const ofIpoSum: ObjectiveClaims = {
  ...{ cancelsPartition: true, antisymmetric: true, sequenceSums: true },
  ...{ atReference: 1 / (4 * beta ** 2), minimumAt: 1 / 2 },
}
const ofIpo: ObjectiveClaims = {
  ...{ cancelsPartition: 'equal lengths', antisymmetric: 'equal lengths' },
  ...{ atReference: 1 / (4 * beta ** 2), minimumAt: 1 / 2 },
}

export const losses = [
  pairs('sigmoid', ofSigmoid, [
    ...ofAnyLoss,
    ...ofPairs,
    instead('dpo-beta-ignored', 'class 34', 'beta is read and not applied', { beta: 1 }),
    instead('dpo-smoothing-applied-unasked', 'L9', 'labels are smoothed although nobody asked', {
      ...{ beta, labelSmoothing: 0.2 },
    }),
    instead('dpo-loss-name-ignored', 'L27', 'another loss than the named one is computed', { beta, loss: 'hinge' }),
    instead('dpo-other-divergence', 'class 31', 'the divergence is held down in the other direction', {
      ...{ beta, fDivergenceType: 'forward_kl' },
    }),
  ]),
  pairs('ipo_sum', ofIpoSum, [
    instead('ipo-averaged', 'class 29', 'IPO averages over tokens where the paper adds them up', { beta, loss: 'ipo' }),
    {
      id: 'ipo-one-sided',
      defect: 'class 37',
      what: 'margins above the target are not pulled back',
      wrong: () => withLoss(dpo({ beta: 2 * beta, loss: 'hinge' }), (hinge) => square(mul(hinge, 1 / (2 * beta)))),
    },
  ]),
  pairs('ipo', ofIpo, [
    instead('ipo-summed', 'class 29', 'IPO adds up where the average over the tokens of an answer is meant', {
      ...{ beta, loss: 'ipo_sum' },
    }),
  ]),
  mutantsOf<Objective<Tensor>>({
    subject: 'sft',
    right: sftObjective,
    suite: (objective, name) =>
      lawsOfObjective({ name, objective, kind: 'tokens', claims: { fullGradient: true }, formula: likelihood }),
    mutations: [...ofAnyLoss.map((mutation) => ({ ...mutation, id: `sft-${mutation.id}` })), ...ofTokens],
  }),
]
