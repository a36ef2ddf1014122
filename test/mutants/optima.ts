import { lawsOfOptimum, type OptimumFormulas } from '@collimate/laws'
import {
  klDivergence,
  logPartition,
  objectiveValues,
  optimalPolicy,
  policyGradient,
  implicitRewards,
} from '@collimate/laws'
import { mutantsOf } from './mutant.js'

const right: OptimumFormulas = {
  logPartition,
  optimalPolicy,
  objectiveValues,
  klDivergence,
  implicitRewards,
  policyGradient,
}

/** The mathematics of reward under a KL penalty. */
export const optima = mutantsOf<OptimumFormulas>({
  subject: 'reward under a KL penalty',
  right,
  suite: (formulas, name) => lawsOfOptimum({ name, formulas }),
  mutations: [
    {
      id: 'optimum-rewards-divergence',
      defect: 'class 31',
      what: 'J adds the KL where it should subtract it',
      wrong: ({ objectiveValues, klDivergence, ...rest }) => ({
        ...{ ...rest, klDivergence },
        objectiveValues: (world, policy) => {
          const kl = klDivergence(policy, world.reference)
          return objectiveValues(world, policy).map((value, x) => value + 2 * world.beta * kl[x])
        },
      }),
    },
    {
      id: 'optimum-kl-reversed',
      defect: 'class 31',
      what: 'the KL is that of the reference from the policy',
      wrong: ({ klDivergence, ...rest }) => ({ ...rest, klDivergence: (p, q) => klDivergence(q, p) }),
    },
    {
      id: 'optimum-without-beta',
      defect: 'class 34',
      what: 'the reward is not divided by β in the optimal policy',
      wrong: ({ optimalPolicy, ...rest }) => ({
        ...rest,
        optimalPolicy: (world) => optimalPolicy({ ...world, beta: 1 }),
      }),
    },
    {
      id: 'optimum-without-reference',
      defect: 'class 42',
      what: 'the optimal policy forgets the reference',
      wrong: ({ optimalPolicy, ...rest }) => ({
        ...rest,
        optimalPolicy: (world) =>
          optimalPolicy({ ...world, reference: world.reference.map((row) => row.map(() => -Math.log(row.length))) }),
      }),
    },
    {
      id: 'optimum-gradient-without-mean',
      defect: 'class 40',
      what: 'the gradient of J lacks the derivative of the normalisation',
      wrong: (all) => ({
        ...all,
        policyGradient: (policy, f) => policy.map((row, x) => row.map((logProb, y) => Math.exp(logProb) * f[x][y])),
      }),
    },
  ],
})
