import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { grid } from '../objective/example.js'
import { expectation, outcomes, scoreFunction, type Outcomes } from './distributions.js'
import type { Formulas } from './formulas.js'
import { softmax } from './reinforce.js'

const groups = fc
  .record({ size: fc.integer({ min: 2, max: 4 }), count: fc.integer({ min: 1, max: 3 }) })
  .chain(({ size, count }) =>
    fc.record({
      size: fc.constant(size),
      rewards: fc.array(grid(-5, 5), { minLength: size * count, maxLength: size * count }),
    }),
  )

const slices = <T>(list: ArrayLike<T>, size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, k) => Array.from(list).slice(k * size, (k + 1) * size))

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

/** REINFORCE, its baselines, and advantages within groups. */
export function reinforceLaws(f: Formulas): Law[] {
  /** E over all K-tuples of samples of (1/K) Σ_k A_k ∇ log π(y_k). */
  const expectedGradient = (
    { logits, rewards }: Outcomes,
    size: number,
    advantages: (of: readonly number[]) => Float64Array,
  ) => {
    const probabilities = softmax(logits)
    const gradient = logits.map(() => 0)
    const visit = (sample: readonly number[], probability: number): void => {
      if (sample.length < size) {
        probabilities.forEach((next, y) => visit([...sample, y], probability * next))
        return
      }
      const found = advantages(sample.map((y) => rewards[y]))
      sample.forEach((y, k) => {
        const weight = (probability * found[k]) / size
        probabilities.forEach((other, j) => (gradient[j] += weight * ((y === j ? 1 : 0) - other)))
      })
    }
    visit([], 1)
    return gradient
  }
  const trueGradient = ({ logits, rewards }: Outcomes) => scoreFunction(logits, (y) => rewards[y])
  const enumerated = fc.record({ world: outcomes(3), size: fc.integer({ min: 2, max: 3 }) })

  return [
    law({
      name: 'reinforce/baseline',
      statement: 'A baseline that does not depend on the action leaves the expected gradient unchanged, exactly.',
      formula: 'E_y (r(y) − b) ∇ log π(y) = E_y r(y) ∇ log π(y)',
      source: 'Williams, Machine Learning 8 (1992)',
      capability: 'reinforceGradient',
      arbitrary: fc.record({ world: outcomes(), baseline: grid(-64, 64) }),
      holds: ({ world: { logits, rewards }, baseline }) => {
        const plain = f.reinforceGradient(logits, rewards, 0)
        f.reinforceGradient(logits, rewards, baseline).forEach((value, j) =>
          near(value, plain[j], 1e-12, `the gradient by logit ${j}`),
        )
      },
    }),
    law({
      name: 'reinforce/unbiased',
      statement: 'The expected REINFORCE gradient is the gradient of the expected reward.',
      formula: 'E_y r(y) ∇ log π(y) = ∇ E_y r(y)',
      source: 'Williams 1992; mlx-lm-lora takes the log-prob of argmax instead of the sample',
      capability: 'reinforceGradient',
      arbitrary: outcomes(),
      holds: ({ logits, rewards }) => {
        const found = f.reinforceGradient(logits, rewards, 0)
        logits.forEach((_, j) => {
          const value = (step: number) =>
            expectation(
              logits.map((logit, i) => logit + (i === j ? step : 0)),
              (y) => rewards[y],
            )
          const h = 1e-3
          const slope = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
          near(found[j], slope, 1e-9, `the gradient by logit ${j}`)
        })
      },
    }),
    law({
      name: 'reinforce/leave-one-out',
      statement:
        'Leave-one-out advantages of a group add up to 0, and each is K/(K − 1) times the reward less the group’s mean.',
      formula: 'A_i = R_i − mean_{j≠i} R_j = K/(K − 1) (R_i − mean R), Σ_i A_i = 0',
      source: 'Ahmadian et al., arXiv 2402.14740; OpenRLHF issue 515',
      capability: 'leaveOneOut',
      arbitrary: groups,
      holds: ({ size, rewards }) => {
        const found = slices(f.leaveOneOut(rewards, size), size)
        slices(rewards, size).forEach((group, g) => {
          near(total(found[g]), 0, 1e-11, `the sum of group ${g}`)
          group.forEach((reward, i) => {
            const others = (total(group) - reward) / (size - 1)
            near(found[g][i], reward - others, 1e-11, `the advantage ${i} of group ${g}`)
            near(
              found[g][i],
              (size / (size - 1)) * (reward - total(group) / size),
              1e-11,
              `the advantage ${i} of group ${g}`,
            )
          })
        })
      },
    }),
    law({
      name: 'reinforce/group-of-one',
      statement:
        'A completion that has no others in its group has the advantage 0: there is nothing to compare it with.',
      formula: 'K = 1: A = 0',
      source: 'tinker-cookbook issue 644; verl sets mean and deviation of such a group itself',
      capability: 'leaveOneOut',
      arbitrary: fc.array(grid(-4, 4), { minLength: 1, maxLength: 4 }),
      show: (rewards) => `rewards ${rewards.join(', ')} in groups of one`,
      holds: (rewards) =>
        f.leaveOneOut(rewards, 1).forEach((advantage, i) => near(advantage, 0, 0, `the advantage ${i}`)),
    }),
    law({
      name: 'reinforce/leave-one-out-unbiased',
      statement:
        'With the leave-one-out baseline the expected gradient over all groups of samples is that of the expected reward.',
      formula: 'E_{y_1..y_K} (1/K) Σ_k A_k ∇ log π(y_k) = ∇ E r',
      source: 'Kool et al. 2019; Ahmadian et al., arXiv 2402.14740',
      capability: 'leaveOneOut',
      arbitrary: enumerated,
      holds: ({ world, size }) => {
        const expected = trueGradient(world)
        expectedGradient(world, size, (rewards) => f.leaveOneOut(rewards, size)).forEach((value, j) =>
          near(value, expected[j], 1e-11, `the gradient by logit ${j}`),
        )
      },
      cost: 2,
    }),
    law({
      name: 'reinforce/group-mean',
      statement:
        'Less the mean of its own group, sample included, the expected gradient is (K − 1)/K of the true one: shorter, not turned.',
      formula: 'E (1/K) Σ_k (R_k − mean R) ∇ log π(y_k) = (K − 1)/K ∇ E r',
      source: 'Dr. GRPO, arXiv 2503.20783',
      capability: 'groupAdvantages',
      arbitrary: enumerated,
      holds: ({ world, size }) => {
        const expected = trueGradient(world).map((value) => (value * (size - 1)) / size)
        expectedGradient(world, size, (rewards) => f.groupAdvantages(rewards, size, 'none')).forEach((value, j) =>
          near(value, expected[j], 1e-11, `the gradient by logit ${j}`),
        )
      },
      cost: 2,
    }),
    law({
      name: 'reinforce/group-advantages',
      statement:
        'Advantages of a group add up to 0; divided by its standard deviation they have deviation 1; a group of equal rewards gives 0; other groups do not matter.',
      formula: 'Σ_i A_i = 0; sd(A) = 1 for scale std; R_i = R_j → A = 0',
      source: 'GRPO, arXiv 2402.03300; tinker-cookbook issue 644: constant groups',
      capability: 'groupAdvantages',
      arbitrary: fc.oneof(
        groups,
        fc.record({ size: fc.integer({ min: 1, max: 4 }), rewards: grid(-5, 5).map((r) => [r, r, r, r]) }),
      ),
      holds: ({ size, rewards }) => {
        for (const scale of ['std', 'none'] as const) {
          const found = slices(f.groupAdvantages(rewards, size, scale), size)
          slices(rewards, size).forEach((group, g) => {
            near(total(found[g]), 0, 1e-9, `the sum of group ${g}`)
            const equal = group.every((reward) => reward === group[0])
            if (equal)
              found[g].forEach((value, i) => near(value, 0, 1e-9, `the advantage ${i} of group ${g} of equal rewards`))
            else if (scale === 'std')
              near(
                total(found[g].map((value) => value ** 2)) / (group.length - 1),
                1,
                5e-3,
                `the variance of group ${g}`,
              )
            else
              found[g].forEach((value, i) =>
                near(value, group[i] - total(group) / group.length, 1e-11, `the advantage ${i} of group ${g}`),
              )
            const alone = f.groupAdvantages(group, size, scale)
            found[g].forEach((value, i) => {
              near(value, alone[i], 1e-12, `the advantage ${i} of group ${g} by itself`)
              group.forEach((reward, j) =>
                require(group[i] >= reward ||
                  value < found[g][j], `rewards ${group[i]} and ${reward} change their order`),
              )
            })
          })
        }
      },
    }),
  ]
}
