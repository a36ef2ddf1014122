import { logSumExp, type Table, type World } from './world.js'

/** A distribution over the completions of each prompt: [X][Y] log-probabilities. */
export type Distribution = Table

const map = (table: Table, f: (value: number, x: number, y: number) => number): number[][] =>
  table.map((row, x) => row.map((value, y) => f(value, x, y)))

/** log Z(x) = log Σ_y π_ref(y|x) exp(r(x,y)/β). */
export function logPartition({ reference, rewards, beta }: World): number[] {
  return reference.map((row, x) => logSumExp(row.map((logProb, y) => logProb + rewards[x][y] / beta)))
}

/** π*(y|x) = π_ref(y|x) exp(r(x,y)/β) / Z(x): what maximises J (Rafailov et al., arXiv 2305.18290, eq. 4). */
export function optimalPolicy(world: World): Distribution {
  const logZ = logPartition(world)
  return map(world.reference, (logProb, x, y) => logProb + world.rewards[x][y] / world.beta - logZ[x])
}

/** E_y~π(·|x) f(x, y) for each prompt; where π is 0, f may be anything. */
export function expectations(policy: Distribution, f: Table): number[] {
  return policy.map((row, x) =>
    row.reduce((sum, logProb, y) => (logProb === -Infinity ? sum : sum + Math.exp(logProb) * f[x][y]), 0),
  )
}

/** Mean over prompts, each as likely as any other. */
export const meanOverPrompts = (perPrompt: readonly number[]): number =>
  perPrompt.reduce((sum, value) => sum + value, 0) / perPrompt.length

/** KL(p ‖ q) in nats for each prompt. */
export function klDivergence(p: Distribution, q: Distribution): number[] {
  return expectations(
    p,
    map(p, (logProb, x, y) => logProb - q[x][y]),
  )
}

/** r(x,y) − β log(π(y|x)/π_ref(y|x)): what J averages. */
export function penalisedRewards(world: World, policy: Distribution): number[][] {
  return map(policy, (logProb, x, y) => world.rewards[x][y] - world.beta * (logProb - world.reference[x][y]))
}

/** J(π) = E r − β KL(π ‖ π_ref) for each prompt (arXiv 2305.18290, eq. 3). */
export function objectiveValues(world: World, policy: Distribution): number[] {
  const rewards = expectations(policy, world.rewards)
  return klDivergence(policy, world.reference).map((kl, x) => rewards[x] - world.beta * kl)
}

/** J(π), the mean over prompts. */
export const objectiveValue = (world: World, policy: Distribution): number =>
  meanOverPrompts(objectiveValues(world, policy))

/**
 * The policy gradient by enumeration: E_y~π f(x,y) ∇ log π(y|x) with respect to the logits of the completions, [X][Y],
 * which is π(y)(f(y) − E f). With f = r − β log(π/π_ref) it is the gradient of J (REINFORCE, Williams 1992).
 */
export function policyGradient(policy: Distribution, f: Table): number[][] {
  const means = expectations(policy, f)
  return map(policy, (logProb, x, y) => Math.exp(logProb) * (f[x][y] - means[x]))
}

/** β log(π(y|x)/π_ref(y|x)): the reward of which π is the optimum, up to β log Z(x) (arXiv 2305.18290, eq. 5). */
export function implicitRewards(world: World, policy: Distribution): number[][] {
  return map(policy, (logProb, x, y) => world.beta * (logProb - world.reference[x][y]))
}

/** log σ(d), without overflow. */
export const logSigmoid = (d: number): number => Math.min(d, 0) - Math.log1p(Math.exp(-Math.abs(d)))

/** log P(a ≻ b | x) = log σ(r(x,a) − r(x,b)) (Bradley and Terry, Biometrika 39, 1952). */
export function logPreference(rewards: Table, x: number, a: number, b: number): number {
  return logSigmoid(rewards[x][a] - rewards[x][b])
}
