import { logSigmoid, sigmoid } from './stable.js'

/** One answer: sums over its tokens, nats. */
export interface AnswerSums {
  readonly logProb: number
  readonly refLogProb: number
  /** Tokens. */
  readonly length: number
}

export interface PairSums {
  readonly chosen: AnswerSums
  readonly rejected: AnswerSums
}

export interface PreferenceSettings {
  readonly beta: number
  /** ε, share of labels taken to be flipped; default 0. */
  readonly labelSmoothing?: number
  /** f-divergence, arXiv 2309.16240; default reverse_kl. */
  readonly divergence?: 'reverse_kl' | 'forward_kl' | 'js_divergence' | 'alpha_divergence'
  /** α of alpha_divergence; default 0.5. */
  readonly alpha?: number
  /** τ of discopop; default 0.05. */
  readonly tau?: number
}

/** What the losses below are written in: h log-ratios, s scores, d = s_w − s_l, m = s_w/|y_w| − s_l/|y_l|. */
interface Terms {
  readonly hw: number
  readonly hl: number
  readonly d: number
  readonly m: number
  readonly b: number
  readonly e: number
  readonly tau: number
}

const ls = logSigmoid
const smooth = (x: number, e: number): number => (e === 0 ? -ls(x) : -(1 - e) * ls(x) - e * ls(-x))

/** Losses of one pair by TRL's names (TRL 1.16, trl/trainer/dpo_trainer.py), as plain numbers. */
const perPair = {
  sigmoid: ({ b, d, e }) => smooth(b * d, e),
  hinge: ({ b, d }) => Math.max(0, 1 - b * d),
  ipo: ({ b, m }) => (m - 1 / (2 * b)) ** 2,
  ipo_sum: ({ b, d }) => (d - 1 / (2 * b)) ** 2,
  exo_pair: ({ b, d, e }) =>
    sigmoid(b * d) * (ls(b * d) - Math.log1p(-e)) + sigmoid(-b * d) * (ls(-b * d) - Math.log(e)),
  nca_pair: ({ b, hw, hl }) => -ls(b * hw) - 0.5 * ls(-b * hw) - 0.5 * ls(-b * hl),
  robust: ({ b, d, e }) => (-(1 - e) * ls(b * d) + e * ls(-b * d)) / (1 - 2 * e),
  bco_pair: ({ b, hw, hl }) => -ls(b * hw) - ls(-b * hl),
  sppo_hard: ({ b, hw, hl }) => (hw - 1 / (2 * b)) ** 2 + (hl + 1 / (2 * b)) ** 2,
  apo_zero: ({ b, hw, hl }) => 1 - sigmoid(b * hw) + sigmoid(b * hl),
  apo_down: ({ b, hw, hl }) => sigmoid(b * hw) + 1 - sigmoid(b * (hw - hl)),
  // In logarithms: σ(x/τ) exp(−x) is 0 · ∞ at very negative x.
  discopop: ({ b, d, tau }) => Math.exp(ls((b * d) / tau) - b * d) - sigmoid((-b * d) / tau) * ls(b * d),
  sigmoid_norm: ({ b, m }) => -ls(b * m),
} satisfies Record<string, (terms: Terms) => number>

export type PreferenceLossName = keyof typeof perPair | 'aot' | 'aot_unpaired'
export const preferenceLossNames = [...Object.keys(perPair), 'aot', 'aot_unpaired'] as PreferenceLossName[]

const logRatio = ({ logProb, refLogProb }: AnswerSums): number => logProb - refLogProb

function score(h: number, { divergence = 'reverse_kl', alpha = 0.5 }: PreferenceSettings): number {
  const expm1 = (x: number) => Math.expm1(Math.min(x, 80))
  if (divergence === 'forward_kl') return -expm1(-h)
  if (divergence === 'js_divergence') return Math.LN2 + ls(h)
  if (divergence === 'reverse_kl' || Math.abs(alpha - 1) < 1e-6) return h
  return expm1((alpha - 1) * h) / (alpha - 1)
}

/** The mean loss of some pairs. */
export function preferenceLoss(
  name: PreferenceLossName,
  settings: PreferenceSettings,
): (pairs: readonly PairSums[]) => number {
  const { beta: b, labelSmoothing: e = 0, tau = 0.05 } = settings
  const mean = (losses: readonly number[]) => losses.reduce((a, c) => a + c, 0) / losses.length
  const sorted = (values: readonly number[]) => [...values].sort((x, y) => x - y)
  const transport = (xs: readonly number[], ys: readonly number[]) => {
    const [x, y] = [sorted(xs), sorted(ys)]
    return mean(x.map((value, i) => smooth(b * (value - y[i]), e)))
  }
  if (name === 'aot')
    return (pairs) =>
      transport(
        pairs.map(({ chosen, rejected }) => chosen.logProb - rejected.logProb),
        pairs.map(({ chosen, rejected }) => chosen.refLogProb - rejected.refLogProb),
      )
  if (name === 'aot_unpaired')
    return (pairs) =>
      transport(
        pairs.map(({ chosen }) => logRatio(chosen)),
        pairs.map(({ rejected }) => logRatio(rejected)),
      )
  const loss: (terms: Terms) => number = perPair[name]
  return (pairs) =>
    mean(
      pairs.map(({ chosen, rejected }) => {
        const [hw, hl] = [logRatio(chosen), logRatio(rejected)]
        const [sw, sl] = [score(hw, settings), score(hl, settings)]
        return loss({ hw, hl, d: sw - sl, m: sw / chosen.length - sl / rejected.length, b, e, tau })
      }),
    )
}
