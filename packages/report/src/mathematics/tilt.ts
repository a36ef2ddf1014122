/** A distribution that is proportional to π_ref(y) exp(r(y)/β), on completions that are listed or were sampled. */
export interface Tilted {
  /** [n] probabilities; they add up to 1. */
  readonly weights: Float64Array
  /** log Z = log E_{π_ref} exp(r/β). */
  readonly logZ: number
  /** KL(π_β ‖ π_ref) = E_{π_β}[r]/β − log Z, nats; never negative. */
  readonly kl: number
  /** Kish's effective sample size 1/Σ w², of samples: 1 to n. */
  readonly effectiveSamples: number
}

/**
 * The optimum of E[r] − β KL(π ‖ π_ref), Rafailov et al., arXiv 2305.18290, eq. 4: every completion of π_ref reweighted by
 * exp(r/β). With the log-probabilities of completions that are all there are, it is exact. Without, the completions are samples
 * of π_ref, and all of it are self-normalised estimates (Owen, Monte Carlo theory, 2013, section
 * 9.2): n samples cannot show a KL above log n, and where few of them carry the weight they show little.
 *
 * @param rewards [n] at least one; finite
 * @param beta above 0
 * @param logPrior [n] log π_ref of what is listed, or log π_ref/q of samples of another distribution q, up to a constant
 */
export function tilt(rewards: ArrayLike<number>, beta: number, logPrior?: ArrayLike<number>): Tilted {
  const n = rewards.length
  const priorMass = logPrior ? logSumExp(logPrior) : Math.log(n)
  const prior = (at: number): number => (logPrior?.[at] ?? 0) - priorMass
  let most = -Infinity
  for (let at = 0; at < n; at++) most = Math.max(most, prior(at) + rewards[at] / beta)
  let total = 0
  const weights = new Float64Array(n)
  for (let at = 0; at < n; at++) total += weights[at] = Math.exp(prior(at) + rewards[at] / beta - most)
  const logZ = most + Math.log(total)
  let [kl, squares] = [0, 0]
  for (let at = 0; at < n; at++) {
    weights[at] /= total
    squares += weights[at] ** 2
    // Σ w (r/β − log Z), summand by summand: the difference of the two sums would lose the digits of a large r/β.
    if (weights[at] > 0) kl += weights[at] * (rewards[at] / beta - logZ)
  }
  return { weights, logZ, kl: Math.max(0, kl), effectiveSamples: 1 / squares }
}

/** Σ w f: the mean of anything under a tilted distribution. */
export function tiltedMean({ weights }: Pick<Tilted, 'weights'>, values: ArrayLike<number>): number {
  let sum = 0
  for (let at = 0; at < weights.length; at++) if (weights[at] > 0) sum += weights[at] * values[at]
  return sum
}

/** log Σ exp, without overflow. */
export function logSumExp(values: ArrayLike<number>): number {
  let most = -Infinity
  for (let at = 0; at < values.length; at++) most = Math.max(most, values[at])
  if (!Number.isFinite(most)) return most
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += Math.exp(values[at] - most)
  return most + Math.log(sum)
}
