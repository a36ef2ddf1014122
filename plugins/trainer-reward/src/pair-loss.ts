import type { ObjectiveTensors } from '@collimate/core'
import { add, logSigmoid, mul, neg, reshape, slice, square, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import type { RewardLossOptions } from './options.js'

/** The scores of each pair and how far the chosen one is to be ahead, [N/2] each. */
export interface PairScores {
  readonly chosen: Tensor
  readonly rejected: Tensor
  readonly margin: Tensor
}

/**
 * −log σ(r_w − r_l − m) + c (r_w + r_l)² of each pair, [N/2]: Bradley-Terry (Biometrika 39, 1952; Stiennon et al., arXiv
 * 2009.01325, section 3.4), the margin m of Llama 2 (arXiv 2307.09288, eq. 2) and the centring c of Eisenstein et al. (arXiv
 * 2312.09244).
 */
export function pairLoss({ chosen, rejected, margin }: PairScores, options: RewardLossOptions): Tensor {
  const { centerRewardsCoefficient: centring } = options
  const loss = neg(logSigmoid(sub(sub(chosen, rejected), margin)))
  return centring > 0 ? add(loss, mul(square(add(chosen, rejected)), centring)) : loss
}

/** The pairs of a batch: sequences 2i chosen, 2i + 1 rejected. */
export function pairScores({ scores, inputs }: ObjectiveTensors<Tensor>): PairScores {
  const count = scores.size / 2
  const columns = reshape(scores, [count, 2])
  const column = (k: number) => reshape(slice(columns, [0, k], [count, k + 1]), [count])
  return { chosen: column(0), rejected: column(1), margin: inputs.margin }
}
