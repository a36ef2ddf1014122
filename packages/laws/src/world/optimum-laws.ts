import fc from 'fast-check'
import { law, near, require, Violation, type Law } from '../law.js'
import { suiteOf, type LawSuite } from '../suite.js'
import {
  implicitRewards,
  klDivergence,
  logPartition,
  logPreference,
  logSigmoid,
  objectiveValues,
  optimalPolicy,
  penalisedRewards,
  policyGradient,
  type Distribution,
} from './exact.js'
import { logSumExp, normalise, showWorld, type Table, type World } from './world.js'
import { worlds, worldsWithPolicy } from './worlds.js'

/** The mathematics of reward under a KL penalty; the world's own is the default subject. */
export interface OptimumFormulas {
  readonly logPartition: typeof logPartition
  readonly optimalPolicy: typeof optimalPolicy
  readonly objectiveValues: typeof objectiveValues
  readonly klDivergence: typeof klDivergence
  readonly implicitRewards: typeof implicitRewards
  readonly policyGradient: typeof policyGradient
}

const own: OptimumFormulas = {
  logPartition,
  optimalPolicy,
  objectiveValues,
  klDivergence,
  implicitRewards,
  policyGradient,
}

const source = 'Rafailov et al., Direct Preference Optimization, arXiv 2305.18290, section 4 and appendix A.1'

/** Rounding grows with the largest number of a sum: differences are measured against it. */
function scaleOf({ rewards, reference, beta }: World): number {
  const most = (table: Table): number => table.flat().reduce((a, b) => Math.max(a, Math.abs(b)), 1)
  return Math.max(most(rewards), most(reference) * beta)
}

/** Throws unless both agree to nine digits of `scale`. */
function close(actual: number, expected: number, scale: number, what: string): void {
  if (!(Math.abs(actual - expected) <= 1e-9 * scale))
    throw new Violation(`${what} is ${actual}, the law says ${expected} (numbers of size ${scale})`)
}

type WithPolicy = { readonly world: World; readonly logits: Table }
const show = ({ world, logits }: WithPolicy): string => `${showWorld(world)}; logits of π ${JSON.stringify(logits)}`
const distribution = (logits: Table): Distribution => logits.map(normalise)
const at = (world: World, x: number, y?: number): string =>
  `prompt [${world.prompts[x].join(' ')}]${y === undefined ? '' : `, completion [${world.completions[y].join(' ')}]`}`

/** Group `optimum`: what maximises reward under a KL penalty, checked by enumeration. */
export function lawsOfOptimum({
  name = 'enumerable world',
  formulas = {},
}: { readonly name?: string; readonly formulas?: Partial<OptimumFormulas> } = {}): LawSuite {
  const f: OptimumFormulas = { ...own, ...formulas }
  return suiteOf({ contract: 'mathematics', subject: name, laws: optimumLaws(f) })
}

function optimumLaws(f: OptimumFormulas): Law[] {
  return [
    law({
      name: 'optimum/distribution',
      statement: 'The optimal policy is a probability distribution for every prompt.',
      formula: 'π*(y|x) = π_ref(y|x) exp(r(x,y)/β) / Z(x),  Σ_y π*(y|x) = 1',
      source,
      arbitrary: worlds(),
      show: showWorld,
      holds(world) {
        const optimum = f.optimalPolicy(world)
        const logZ = f.logPartition(world)
        const scale = scaleOf(world) / world.beta
        optimum.forEach((row, x) => {
          near(Math.exp(logSumExp(row)), 1, 1e-9 * Math.max(1, scale), `Σ_y π* of ${at(world, x)}`)
          row.forEach((logProb, y) => {
            const expected = world.reference[x][y] + world.rewards[x][y] / world.beta - logZ[x]
            close(logProb, expected, Math.max(1, scale), `log π* of ${at(world, x, y)}`)
          })
        })
      },
    }),
    law({
      name: 'optimum/value',
      statement: 'The optimal policy is worth β log Z.',
      formula: 'J(π*) = E_π* r − β KL(π* ‖ π_ref) = β log Z(x)',
      source,
      arbitrary: worlds(),
      show: showWorld,
      holds(world) {
        const logZ = f.logPartition(world)
        f.objectiveValues(world, f.optimalPolicy(world)).forEach((value, x) =>
          close(value, world.beta * logZ[x], scaleOf(world), `J(π*) of ${at(world, x)}`),
        )
      },
    }),
    law({
      name: 'optimum/gap',
      statement: 'What a policy lacks of the optimal value is β times its divergence from the optimal policy.',
      formula: 'J(π*) − J(π) = β KL(π ‖ π*) ≥ 0 for every π',
      source,
      arbitrary: worldsWithPolicy(),
      show,
      holds({ world, logits }) {
        const policy = distribution(logits)
        const optimum = f.optimalPolicy(world)
        const best = f.objectiveValues(world, optimum)
        const values = f.objectiveValues(world, policy)
        f.klDivergence(policy, optimum).forEach((kl, x) => {
          const scale = scaleOf(world)
          close(best[x] - values[x], world.beta * kl, scale, `J(π*) − J(π) of ${at(world, x)}`)
          require(kl >= -1e-9 * Math.max(1, scale / world.beta), `KL(π ‖ π*) of ${at(world, x)} is ${kl}, below 0`)
        })
      },
    }),
    law({
      name: 'optimum/implicit-reward',
      statement: 'The reward can be read off its optimal policy, up to β log Z.',
      formula: 'β log(π*(y|x)/π_ref(y|x)) + β log Z(x) = r(x,y)',
      source,
      arbitrary: worlds(),
      show: showWorld,
      holds(world) {
        const logZ = f.logPartition(world)
        f.implicitRewards(world, f.optimalPolicy(world)).forEach((row, x) =>
          row.forEach((reward, y) =>
            close(
              reward + world.beta * logZ[x],
              world.rewards[x][y],
              scaleOf(world),
              `implicit reward of ${at(world, x, y)}`,
            ),
          ),
        )
      },
    }),
    law({
      name: 'optimum/shift',
      statement: 'A reward that depends on the prompt alone does not change the optimal policy.',
      formula: 'π*[r + f(x)] = π*[r],  log Z[r + f(x)] = log Z[r] + f(x)/β',
      source,
      arbitrary: fc.record({ world: worlds(), shift: fc.integer({ min: -40, max: 40 }).map((k) => k / 4) }),
      show: ({ world, shift }) => `f(x) = ${shift} (x + 1); ${showWorld(world)}`,
      holds({ world, shift }) {
        const by = (x: number): number => shift * (x + 1)
        const shifted: World = { ...world, rewards: world.rewards.map((row, x) => row.map((r) => r + by(x))) }
        const scale = Math.max(1, scaleOf(shifted) / world.beta)
        const [before, after] = [f.optimalPolicy(world), f.optimalPolicy(shifted)]
        const [logZ, shiftedLogZ] = [f.logPartition(world), f.logPartition(shifted)]
        before.forEach((row, x) => {
          close(shiftedLogZ[x], logZ[x] + by(x) / world.beta, scale, `log Z of ${at(world, x)}`)
          row.forEach((logProb, y) => close(after[x][y], logProb, scale, `log π* of ${at(world, x, y)}`))
        })
      },
    }),
    law({
      name: 'optimum/preferences',
      statement: 'At the optimal policy the DPO loss of a pair is the Bradley-Terry loss of the reward.',
      formula: '−log σ(β log(π*(a)/π_ref(a)) − β log(π*(b)/π_ref(b))) = −log σ(r(a) − r(b))',
      source: 'arXiv 2305.18290, eq. 6 and 7',
      arbitrary: worlds({ fewest: 2 }),
      show: showWorld,
      holds(world) {
        const implicit = f.implicitRewards(world, f.optimalPolicy(world))
        implicit.forEach((row, x) =>
          row.forEach((reward, a) =>
            row.forEach((other, b) =>
              close(
                -logSigmoid(reward - other),
                -logPreference(world.rewards, x, a, b),
                scaleOf(world),
                `loss of [${world.completions[a].join(' ')}] over [${world.completions[b].join(' ')}]`,
              ),
            ),
          ),
        )
      },
    }),
    law({
      name: 'optimum/stationary',
      statement: 'The gradient of J by enumeration is that of the penalised reward, and 0 at the optimal policy.',
      formula: '∂J/∂logit(y) = π(y)(A(y) − E A),  A = r − β log(π/π_ref);  0 at π*',
      source: 'Williams, Machine Learning 8 (1992); arXiv 2305.18290, appendix A.1',
      arbitrary: worldsWithPolicy({ most: 13 }),
      show,
      holds({ world, logits }) {
        const policy = distribution(logits)
        const scale = scaleOf(world)
        const gradient = f.policyGradient(policy, penalisedRewards(world, policy))
        const optimum = f.optimalPolicy(world)
        const still = f.policyGradient(optimum, penalisedRewards(world, optimum))
        const valueAt = (x: number, y: number, step: number): number => {
          const moved = logits.map((row, i) => row.map((logit, k) => (i === x && k === y ? logit + step : logit)))
          return f.objectiveValues(world, distribution(moved))[x]
        }
        logits.forEach((row, x) =>
          row.forEach((_, y) => {
            const slope = (valueAt(x, y, 1e-4) - valueAt(x, y, -1e-4)) / 2e-4
            near(gradient[x][y] / scale, slope / scale, 1e-6, `∂J/∂logit of ${at(world, x, y)}`)
            close(still[x][y], 0, scale, `∂J/∂logit at π* of ${at(world, x, y)}`)
          }),
        )
      },
    }),
  ]
}
