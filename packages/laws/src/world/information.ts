import type { Comparison } from './datasets.js'
import { optimalPolicy } from './exact.js'
import type { Table, World } from './world.js'

/** How much comparisons tell about the rewards of one prompt: Σ p(1−p)(e_a − e_b)(e_a − e_b)ᵀ, [Y][Y], at rewards [Y]. */
export function preferenceInformation(
  rewards: readonly number[],
  comparisons: readonly Pick<Comparison, 'chosen' | 'rejected'>[],
): number[][] {
  const information = rewards.map(() => rewards.map(() => 0))
  for (const { chosen: a, rejected: b } of comparisons) {
    const p = 1 / (1 + Math.exp(rewards[b] - rewards[a]))
    const weight = p * (1 - p)
    information[a][a] += weight
    information[b][b] += weight
    information[a][b] -= weight
    information[b][a] -= weight
  }
  return information
}

/** Σ (1 − P(chosen ≻ rejected)) over what was chosen, minus over what was rejected: 0 where rewards fit best, [X][Y]. */
export function preferenceScore(rewards: Table, comparisons: readonly Comparison[]): number[][] {
  const score = rewards.map((row) => row.map(() => 0))
  for (const { x, chosen, rejected } of comparisons) {
    const surprise = 1 / (1 + Math.exp(rewards[x][chosen] - rewards[x][rejected]))
    score[x][chosen] += surprise
    score[x][rejected] -= surprise
  }
  return score
}

/**
 * The upper end of the interval that J(π*) − J(π̂) lies in with probability 1 − e^(−t), where π̂ is the optimum of the rewards
 * that fit the comparisons best.
 *
 * The fitted rewards are normal around the true ones with the inverse information I⁻¹ as covariance; to second order the gap is
 * δᵀ C δ / 2β with C the covariance of the completions under π*: a sum of squared normals with weights λ, the eigenvalues of
 * C I⁻¹. It stays below Σλ + 2√(t Σλ²) + 2t max λ (Laurent and Massart, Ann. Statist. 28, 2000, lemma 1).
 */
export function sampledGapBound(world: World, comparisons: readonly Comparison[], t: number): number {
  let trace = 0
  let squares = 0
  optimalPolicy(world).forEach((row, x) => {
    const p = row.map(Math.exp)
    const covariance = p.map((mine, a) => p.map((theirs, b) => (a === b ? mine : 0) - mine * theirs))
    const here = comparisons.filter((comparison) => comparison.x === x)
    const product = multiply(covariance, pseudoInverse(preferenceInformation(world.rewards[x], here)))
    const share = world.prompts.length * 2 * world.beta
    product.forEach((line, a) => {
      trace += line[a] / share
      line.forEach((value, b) => (squares += (value * product[b][a]) / share ** 2))
    })
  })
  return trace + 2 * Math.sqrt(t * squares) + 2 * t * Math.sqrt(squares)
}

const multiply = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] =>
  a.map((row) => b[0].map((_, column) => row.reduce((sum, value, k) => sum + value * b[k][column], 0)))

/** Inverse on the vectors that add up to 0, of a matrix that is 0 on constants alone: (M + 11ᵀ)⁻¹, by Gauss and Jordan. */
function pseudoInverse(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length
  const rows = matrix.map((row, i) => [...row.map((value) => value + 1), ...row.map((_, k) => (i === k ? 1 : 0))])
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++)
      if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) pivot = row
    ;[rows[column], rows[pivot]] = [rows[pivot], rows[column]]
    const head = rows[column].map((value) => value / rows[column][column])
    rows.forEach((row, i) => {
      const factor = row[column]
      rows[i] = i === column ? head : row.map((value, k) => value - factor * head[k])
    })
  }
  return rows.map((row) => row.slice(size))
}
