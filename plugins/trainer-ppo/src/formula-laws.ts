import { input, interpret, program } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { lawsOfFormulas, type Formulas, type LawSuite } from '@collimate/laws'
import { klEstimators, nextBeta, penalisedRewards } from '@collimate/rollouts'
import { clippedSurrogate } from './clipped-surrogate.js'
import { clippedValueLoss } from './clipped-value-loss.js'

/** The formulas that PPO is made of, as they are trained with. */
export function formulaSuite(): LawSuite {
  return lawsOfFormulas({ name: 'trainer ppo', formulas: ppoFormulas() })
}

export function ppoFormulas(): Partial<Formulas> {
  const surrogates = new Map<string, Evaluated>()
  const valueLosses = new Map<number, Evaluated>()
  return {
    clippedSurrogate(logRatio, advantage, clip) {
      const key = `${clip.low} ${clip.high}`
      const evaluate =
        surrogates.get(key) ??
        evaluated(['logRatio', 'advantage'], ([ratio, a]) => clippedSurrogate(ratio, a, clip).loss)
      surrogates.set(key, evaluate)
      return evaluate([logRatio, advantage])
    },
    clippedValueLoss(value, oldValue, target, range) {
      const evaluate =
        valueLosses.get(range) ??
        evaluated(['value', 'old', 'target'], ([v, old, r]) => clippedValueLoss(v, old, r, range).loss)
      valueLosses.set(range, evaluate)
      return evaluate([value, oldValue, target])
    },
    klRewards({ rows, width, mask, logProbs, refLogProbs, scores, beta }) {
      const row = <Values extends Float64Array | Uint8Array>(values: Values, at: number) =>
        values.slice(at * width, (at + 1) * width) as Values
      const all = Array.from({ length: rows }, (_, at) => at)
      const masks = all.map((at) => row(mask, at))
      const perToken = masks.map((bits, at) =>
        Float64Array.from(bits, (_, t) => (t === bits.lastIndexOf(1) ? scores[at] : 0)),
      )
      const kl = all.map((at) => row(logProbs, at).map((value, t) => klEstimators.k1(value - row(refLogProbs, at)[t])))
      return Float64Array.from(penalisedRewards(perToken, kl, masks, beta).flatMap((rewards) => [...rewards]))
    },
    nextBeta,
    k1: (logProb, refLogProb) => klEstimators.k1(logProb - refLogProb),
    k2: (logProb, refLogProb) => klEstimators.k2(logProb - refLogProb),
    k3: (logProb, refLogProb) => klEstimators.k3(logProb - refLogProb),
  }
}

type Evaluated = (values: readonly number[]) => number

/** An expression over scalars, [1] each, as a function of numbers in float64. */
function evaluated(names: readonly string[], of: (inputs: readonly Tensor[]) => Tensor): Evaluated {
  const built = program({ name: 'formula', outputs: { value: of(names.map((name) => input(name, [1]))) } })
  return (values) => {
    const feeds = Object.fromEntries(names.map((name, at) => [name, Float64Array.of(values[at])]))
    return Number(interpret(built, { feeds, states: {} }).outputs.value.data[0])
  }
}
