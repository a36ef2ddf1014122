import fc, { type Arbitrary } from 'fast-check'
import { grid } from '../objective/example.js'
import { softmax } from './reinforce.js'

/** A small world to enumerate: a policy, its reference, and a reward for each outcome. */
export interface Outcomes {
  readonly logits: readonly number[]
  readonly refLogits: readonly number[]
  readonly rewards: readonly number[]
}

const logit = fc.oneof({ arbitrary: grid(-3, 3, 0.25), weight: 5 }, { arbitrary: fc.constant(-25), weight: 1 })

/** Random outcomes, two to `most` of them; some all but impossible. */
export function outcomes(most = 5): Arbitrary<Outcomes> {
  return fc.integer({ min: 2, max: most }).chain((count) => {
    const list = (of: Arbitrary<number>) => fc.array(of, { minLength: count, maxLength: count })
    return fc.record({ logits: list(logit), refLogits: list(logit), rewards: list(grid(-5, 5, 0.25)) })
  })
}

/** log π of each outcome, exact to rounding also where it is tiny. */
export function logSoftmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits)
  const total = most + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - most), 0))
  return logits.map((value) => value - total)
}

/** E_y f(y). */
export const expectation = (logits: readonly number[], f: (y: number) => number): number =>
  softmax(logits).reduce((sum, probability, y) => sum + probability * f(y), 0)

/** E_y w(y) ∇ log π(y) by the logits: π(j) (w(j) − E w). */
export function scoreFunction(logits: readonly number[], weight: (y: number) => number): number[] {
  const mean = expectation(logits, weight)
  return softmax(logits).map((probability, j) => probability * (weight(j) - mean))
}

/** KL(p ‖ q) in nats, from logits. */
export function klOf(p: readonly number[], q: readonly number[]): number {
  const [logP, logQ] = [logSoftmax(p), logSoftmax(q)]
  return expectation(p, (y) => logP[y] - logQ[y])
}

/** f′(x) by central differences of fourth order. */
export function derivative(f: (x: number) => number, x: number, h = 1e-3): number {
  return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
}
