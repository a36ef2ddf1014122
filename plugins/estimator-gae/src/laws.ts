import type { EstimatorRequest } from '@collimate/core'
import { lawsOfEstimator, lawsOfFormulas, lawsOfOptions, type LawSuite } from '@collimate/laws'
import { whiten } from '@collimate/rollouts'
import { gae, gaeEstimator, gaeOptions, generalisedAdvantages, type GaeOptions } from './index.js'

/** The laws of the estimator with its defaults, of others of its options, and of the formulas that it is made of. */
export default async function laws(): Promise<LawSuite[]> {
  const others = [
    { gamma: 0.9, lambda: 0.8 },
    { gamma: 1, lambda: 1 },
    { gamma: 0.5, lambda: 0 },
  ]
  return [
    lawsOfEstimator({
      name: 'gae',
      create: () => gaeEstimator(gaeOptions.parse({})),
      claims: gae.definition.capabilities,
    }),
    ...others.map((options) =>
      lawsOfEstimator({
        name: `gae (γ ${options.gamma}, λ ${options.lambda}, not whitened)`,
        create: () => gaeEstimator({ ...options, whiten: false }),
        ...options,
        claims: { ...gae.definition.capabilities, whitened: false, rowwise: true },
      }),
    ),
    lawsOfFormulas({
      name: 'estimator gae',
      formulas: {
        gae: ({ gamma, lambda, ...request }) => generalisedAdvantages(request, { gamma, lambda }),
        // With λ = 1 and values of 0 a return is the Monte-Carlo one.
        monteCarloReturns: ({ gamma, ...request }) =>
          generalisedAdvantages({ ...request, values: new Float64Array(request.rewards.length) }, { gamma, lambda: 1 })
            .returns,
        whiten: ({ values, mask }) => whiten(values, mask),
      },
    }),
    lawsOfOptions({
      plugin: gae,
      output: (options) => gaeEstimator(options as GaeOptions).estimate(rollouts),
      alternatives: {
        gamma: [{ value: 0.5 }, { value: 1.1, refused: true }, { value: -0.1, refused: true }],
        lambda: [{ value: 0.5 }, { value: 1.1, refused: true }, { value: -0.1, refused: true }],
        whiten: [{ value: false }],
      },
    }),
  ]
}

const rollouts: EstimatorRequest = {
  ...{ rows: 2, width: 3 },
  rewards: Float64Array.of(0.25, -0.5, 2, -1, 1, 0),
  values: Float64Array.of(0.5, 1, -1, 0.25, 0.75, 0),
  logProbs: new Float64Array(6),
  mask: Uint8Array.of(1, 1, 1, 1, 1, 0),
}
