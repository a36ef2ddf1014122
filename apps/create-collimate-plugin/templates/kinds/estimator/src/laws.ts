import { lawsOfEstimator, lawsOfOptions, type LawSuite } from '@collimate/laws'
import plugin, { options, rewardToGo, rewardToGoEstimator } from './index.js'

/**
 * The laws of this plugin, for a discount and for none. What its definition does not claim (`capabilities`) is shown as declared
 * unsupported: that its advantages are whitened, that groups of rows are compared, ...
 */
export default async function laws(): Promise<LawSuite[]> {
  return [
    ...[1, 0.9].map((discount) =>
      lawsOfEstimator({
        name: `__name__ (discount ${discount})`,
        create: () => rewardToGoEstimator({ discount }),
        gamma: discount,
        claims: plugin.definition.capabilities,
      }),
    ),
    // Every option changes what comes out, or its use is refused: for each, a value that shows it.
    lawsOfOptions({
      plugin,
      output: (given) => rewardToGo(request, options.parse(given)),
      alternatives: { discount: [{ value: 0.5 }, { value: 2, refused: true }] },
    }),
  ]
}

const request = {
  rows: 1,
  width: 3,
  rewards: Float64Array.of(1, 0, 4),
  logProbs: new Float64Array(3),
  mask: Uint8Array.of(1, 1, 1),
}
