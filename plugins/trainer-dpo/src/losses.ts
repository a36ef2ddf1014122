import { add, div, exp, logSigmoid, mul, neg, relu, sigmoid, square, sub } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { matchByRank } from './match-by-rank.js'
import type { PairTensors } from './pair-tensors.js'

/**
 * What a loss of the DPO family computes with, [N/2] each. h = log π(y|x) − log π_ref(y|x), s = h after the f-divergence
 * transform (s = h for reverse KL), w chosen, l rejected.
 */
export interface LossInputs {
  /** β h_w and β h_l: the implicit rewards. */
  readonly chosenReward: Tensor
  readonly rejectedReward: Tensor
  /** D = s_w − s_l. */
  readonly difference: Tensor
  /** D̄ = s_w / |y_w| − s_l / |y_l|. */
  readonly meanDifference: Tensor
  readonly pairs: PairTensors
  readonly beta: number
  /** ε: share of labels taken to be flipped. */
  readonly smoothing: number
  /** τ of discopop. */
  readonly tau: number
}

export interface DpoLoss {
  /** With b = β, e = ε, ls = log σ, sg = σ. */
  readonly formula: string
  readonly arXiv: string
  /** What it does with label smoothing. */
  readonly smoothing: 'ignored' | 'optional' | 'required'
  /** Whether it reads scores after the f-divergence transform; else raw log-ratios. */
  readonly divergence: boolean
  /** Sorts over the batch, which therefore cannot be split. */
  readonly coupled?: true
  readonly perPair: (inputs: LossInputs) => Tensor
}

/** −(1 − ε) log σ(x) − ε log σ(−x). */
function smoothed(x: Tensor, smoothing: number): Tensor {
  const asLabelled = neg(logSigmoid(x))
  return smoothing === 0 ? asLabelled : add(mul(asLabelled, 1 - smoothing), mul(neg(logSigmoid(neg(x))), smoothing))
}

const margin = ({ beta, difference }: LossInputs): Tensor => mul(difference, beta)

/** The DPO family by TRL's names; `ipo_sum` and the smoothing of `sigmoid` (cDPO) are not in TRL 1.16. */
export const dpoLosses = {
  sigmoid: {
    formula: '-(1 - e) ls(b D) - e ls(-b D)',
    arXiv: '2305.18290',
    smoothing: 'optional',
    divergence: true,
    perPair: (p) => smoothed(margin(p), p.smoothing),
  },
  hinge: {
    formula: 'max(0, 1 - b D)',
    arXiv: '2309.06657',
    smoothing: 'ignored',
    divergence: true,
    perPair: (p) => relu(sub(1, margin(p))),
  },
  ipo: {
    formula: '(Dbar - 1 / (2 b))^2',
    arXiv: '2310.12036',
    smoothing: 'ignored',
    divergence: true,
    perPair: ({ meanDifference, beta }) => square(sub(meanDifference, 0.5 / beta)),
  },
  ipo_sum: {
    formula: '(D - 1 / (2 b))^2',
    arXiv: '2310.12036',
    smoothing: 'ignored',
    divergence: true,
    perPair: ({ difference, beta }) => square(sub(difference, 0.5 / beta)),
  },
  exo_pair: {
    formula: 'sg(b D) (ls(b D) - ln(1 - e)) + sg(-b D) (ls(-b D) - ln e)',
    arXiv: '2402.00856',
    smoothing: 'required',
    divergence: true,
    perPair: (p) => {
      const side = (x: Tensor, label: number) => mul(sigmoid(x), sub(logSigmoid(x), label))
      return add(side(margin(p), Math.log1p(-p.smoothing)), side(neg(margin(p)), Math.log(p.smoothing)))
    },
  },
  nca_pair: {
    formula: '-ls(b h_w) - ls(-b h_w) / 2 - ls(-b h_l) / 2',
    arXiv: '2402.05369',
    smoothing: 'ignored',
    divergence: false,
    perPair: ({ chosenReward, rejectedReward }) => {
      const others = add(logSigmoid(neg(chosenReward)), logSigmoid(neg(rejectedReward)))
      return neg(add(logSigmoid(chosenReward), mul(others, 0.5)))
    },
  },
  robust: {
    formula: '(-(1 - e) ls(b D) + e ls(-b D)) / (1 - 2 e)',
    arXiv: '2403.00409',
    smoothing: 'optional',
    divergence: true,
    perPair: (p) => {
      const clean = mul(neg(logSigmoid(margin(p))), (1 - p.smoothing) / (1 - 2 * p.smoothing))
      const flipped = mul(neg(logSigmoid(neg(margin(p)))), p.smoothing / (1 - 2 * p.smoothing))
      return sub(clean, flipped)
    },
  },
  bco_pair: {
    formula: '-ls(b h_w) - ls(-b h_l)',
    arXiv: '2404.04656',
    smoothing: 'ignored',
    divergence: false,
    perPair: ({ chosenReward, rejectedReward }) => neg(add(logSigmoid(chosenReward), logSigmoid(neg(rejectedReward)))),
  },
  sppo_hard: {
    formula: '(h_w - 1 / (2 b))^2 + (h_l + 1 / (2 b))^2',
    arXiv: '2405.00675',
    smoothing: 'ignored',
    divergence: false,
    perPair: ({ pairs: { chosen, rejected }, beta }) =>
      add(square(sub(chosen.logRatio, 0.5 / beta)), square(add(rejected.logRatio, 0.5 / beta))),
  },
  aot: {
    formula: '-(1 - e) ls(b d) - e ls(-b d), d = sorted(log pi_w - log pi_l) - sorted(log ref_w - log ref_l)',
    arXiv: '2406.05882',
    smoothing: 'optional',
    divergence: false,
    coupled: true,
    perPair: ({ pairs: { chosen, rejected, real }, beta, smoothing }) => {
      const ofPolicy = sub(chosen.logProb, rejected.logProb)
      const ofReference = sub(chosen.refLogProb, rejected.refLogProb)
      return smoothed(mul(sub(ofPolicy, matchByRank(ofPolicy, ofReference, real)), beta), smoothing)
    },
  },
  aot_unpaired: {
    formula: '-(1 - e) ls(b d) - e ls(-b d), d = sorted(h_w) - sorted(h_l)',
    arXiv: '2406.05882',
    smoothing: 'optional',
    divergence: false,
    coupled: true,
    perPair: ({ pairs: { chosen, rejected, real }, beta, smoothing }) => {
      const matched = matchByRank(chosen.logRatio, rejected.logRatio, real)
      return smoothed(mul(sub(chosen.logRatio, matched), beta), smoothing)
    },
  },
  apo_zero: {
    formula: '1 - sg(b h_w) + sg(b h_l)',
    arXiv: '2408.06266',
    smoothing: 'ignored',
    divergence: false,
    perPair: ({ chosenReward, rejectedReward }) => add(sigmoid(neg(chosenReward)), sigmoid(rejectedReward)),
  },
  apo_down: {
    formula: 'sg(b h_w) + 1 - sg(b (h_w - h_l))',
    arXiv: '2408.06266',
    smoothing: 'ignored',
    divergence: false,
    perPair: ({ chosenReward, rejectedReward }) =>
      add(sigmoid(chosenReward), sigmoid(sub(rejectedReward, chosenReward))),
  },
  discopop: {
    formula: '(1 - g) (-ls(b D)) + g exp(-b D), g = sg(b D / tau)',
    arXiv: '2406.08414',
    smoothing: 'ignored',
    divergence: true,
    perPair: (p) => {
      const x = margin(p)
      const blend = div(x, p.tau)
      // g exp(−x) as one exponential: apart they overflow at very negative x, where their product is 0.
      return sub(exp(sub(logSigmoid(blend), x)), mul(sigmoid(neg(blend)), logSigmoid(x)))
    },
  },
  sigmoid_norm: {
    formula: '-ls(b Dbar)',
    arXiv: '2411.15124',
    smoothing: 'ignored',
    divergence: true,
    perPair: ({ meanDifference, beta }) => neg(logSigmoid(mul(meanDifference, beta))),
  },
} satisfies Record<string, DpoLoss>

export type LossName = keyof typeof dpoLosses
export const lossNames = Object.keys(dpoLosses) as [LossName, ...LossName[]]
