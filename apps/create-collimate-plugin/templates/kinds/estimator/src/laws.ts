import { lawsOfEstimator, type LawSuite } from '@collimate/laws'
import plugin, { rewardToGoEstimator } from './index.js'

/**
 * The laws of this plugin, for a discount and for none. What its definition does not claim (`capabilities`) is shown as declared
 * unsupported: that its advantages are whitened, that groups of rows are compared, ...
 */
export default async function laws(): Promise<LawSuite[]> {
  return [1, 0.9].map((discount) =>
    lawsOfEstimator({
      name: `__name__ (discount ${discount})`,
      create: () => rewardToGoEstimator({ discount }),
      gamma: discount,
      claims: plugin.definition.capabilities,
    }),
  )
}
