import fc from 'fast-check'
import { logSigmoid, sigmoid } from '../formulas/stable.js'
import { law, near, require, type Law } from '../law.js'
import { implicitRewards, optimalPolicy } from '../world/exact.js'
import { worlds } from '../world/worlds.js'
import { showWorld, type World } from '../world/world.js'
import type { PairLawParts } from './bradley-terry-laws.js'
import { swapped, type ExampleCase } from './example.js'
import { atReference, hasReference, sideGradients, withMargin } from './pairs.js'

export interface OptimumParts extends PairLawParts {
  /** Value of the loss where the policy is its reference. */
  readonly atReference?: number
  /** Margin βD where the loss of a pair is least. */
  readonly minimumAt?: number
  /** Share of flipped labels that the loss corrects for. */
  readonly unbiasedUnderFlips?: number
}

/** What the loss is worth at the reference and at the optimum. */
export function optimumLaws(parts: OptimumParts): Law[] {
  const { subject, beta, minimumAt = 0, unbiasedUnderFlips: flips = 0 } = parts
  const { judge, show } = subject
  const onePair = subject.examples({ most: 1 })
  const lossAt = (examples: readonly ExampleCase[]) => judge([examples]).loss
  const optimum = fc
    .record({ world: worlds({ fewest: 2, most: 15, prompts: 2 }), pair: onePair, w: fc.nat(14), l: fc.nat(14) })
    .map(({ world, pair, w, l }) => {
      const count = world.completions.length
      const chosen = w % count
      return { world: { ...world, beta }, pair, w: chosen, l: (chosen + 1 + (l % (count - 1))) % count }
    })
  const showOptimum = ({ world, w, l }: { world: World; w: number; l: number }) =>
    `completions ${w} ≻ ${l} in ${showWorld(world)}`
  /** A pair of completions as the policy and its reference see them, the log-probs on the first token. */
  const pairOf = (
    policy: World['reference'],
    { world, pair, w, l }: { world: World; pair: readonly ExampleCase[]; w: number; l: number },
  ) => {
    const [{ sequences, ...rest }] = pair
    const chosen = [w, l].map((y, side) => ({
      ...sequences[side],
      tokens: sequences[side].tokens.slice(0, 1).map((token) => ({
        ...token,
        logProbs: policy[0][y],
        refLogProbs: world.reference[0][y],
      })),
    }))
    return [{ ...rest, sequences: chosen }]
  }
  const laws = [
    law({
      name: 'at-reference/value',
      statement:
        'Where the policy is its reference the loss has its closed value, and all implicit rewards and accuracies are 0.',
      formula: `L(π_ref) = ${parts.atReference ?? 'the claimed value'}`,
      source:
        'closed values of TRL’s losses; LlamaFactory issue 8459 and TRL issue 744: an adapter or dropout moves the first loss',
      capability: 'atReference',
      arbitrary: subject.examples(),
      show,
      holds: (examples) => {
        const { loss, metrics } = judge([atReference(subject, examples)])
        near(loss, parts.atReference as number, 1e-12, 'the loss at the reference')
        for (const name of ['chosen', 'rejected', 'margins', 'accuracies'].map((what) => `rewards/${what}`))
          if (hasReference(subject) && name in metrics) near(metrics[name].sum, 0, 1e-12, `the sum of ${name}`)
      },
    }),
    law({
      name: 'optimum/minimum',
      statement: 'The loss of a pair is least, and its gradient 0, at the margin that the loss aims at.',
      formula: `argmin_D L = D* with βD* = ${parts.minimumAt ?? 'the claimed margin'}`,
      source:
        'IPO: arXiv 2310.12036, eq. 17; conservative DPO: log-odds of the smoothed label; EXO: arXiv 2402.00856, eq. 16',
      capability: 'minimumAt',
      arbitrary: fc.record({
        pair: subject.examples({ most: 1, equalLengths: true }),
        off: fc.constantFrom(-3, -1, -0.1, 0.1, 1, 3),
      }),
      show: ({ pair, off }) => `${show(pair)}, margins ${minimumAt} and ${minimumAt + off} in place of its own`,
      holds: ({ pair, off }) => {
        const single = pair.map((example) => ({
          ...example,
          sequences: example.sequences.map((sequence) => ({ ...sequence, tokens: sequence.tokens.slice(0, 1) })),
        }))
        const least = withMargin(subject, single, beta, () => minimumAt)
        const [[chosen, rejected]] = sideGradients(subject, least)
        near(chosen, 0, 1e-9, 'the gradient of the chosen answer')
        near(rejected, 0, 1e-9, 'the gradient of the rejected answer')
        const [there, beside] = [lossAt(least), lossAt(withMargin(subject, single, beta, () => minimumAt + off))]
        require(there < beside, `the loss is ${there} there and ${beside} beside`)
      },
    }),
    law({
      name: 'optimum/unbiased-under-flips',
      statement:
        'Averaged over labels that are flipped as often as the loss assumes, it is the loss of the true label.',
      formula: '(1 − ε) L(w, l) + ε L(l, w) = −log σ(βD)',
      source: 'Chowdhury et al., robust DPO, arXiv 2403.00409',
      capability: 'unbiasedUnderFlips',
      arbitrary: onePair,
      show,
      holds: (pair) => {
        const found = (1 - flips) * lossAt(pair) + flips * lossAt(swapped(pair))
        const [{ sequences }] = pair
        const h = sequences.map(({ tokens }) => tokens.reduce((sum, t) => sum + t.logProbs - t.refLogProbs, 0))
        near(found, -logSigmoid(beta * (h[0] - h[1])), 1e-9, 'the loss averaged over flips')
      },
    }),
  ]
  if (!hasReference(subject)) return laws
  return [
    ...laws,
    law({
      name: 'optimum/loss-is-bradley-terry',
      statement:
        'At the optimal policy the loss is the Bradley-Terry loss of the reward: the policy is secretly a reward model.',
      formula: 'L(π*) = −log σ(r(x, y_w) − r(x, y_l)), π* = π_ref exp(r/β)/Z',
      source: 'Rafailov et al., arXiv 2305.18290, eq. 4 to 7 and theorem 1',
      capability: 'bradleyTerry',
      arbitrary: optimum,
      show: showOptimum,
      holds: (c) => {
        const { rewards } = c.world
        const expected = -logSigmoid(rewards[0][c.w] - rewards[0][c.l])
        const policy = optimalPolicy(c.world)
        // The log-probs carry rewards / β: as many digits are lost as that is large.
        const lost = Math.max(1, ...implicitRewards(c.world, policy)[0].map(Math.abs)) / Math.max(1, expected)
        near(lossAt(pairOf(policy, c)), expected, 1e-12 * lost + 1e-9, 'the loss at the optimum')
      },
    }),
    law({
      name: 'optimum/stationary',
      statement:
        'Under preferences that follow the reward, the expected gradient at the optimal policy is 0 for every pair.',
      formula: 'P(w ≻ l) ∇L(w, l) + P(l ≻ w) ∇L(l, w) = 0 at π*',
      source: 'Rafailov et al., arXiv 2305.18290, section 5.1: maximum likelihood of Bradley-Terry',
      capability: 'bradleyTerry',
      arbitrary: optimum,
      show: showOptimum,
      holds: (c) => {
        const policy = optimalPolicy(c.world)
        const preferred = sigmoid(c.world.rewards[0][c.w] - c.world.rewards[0][c.l])
        const [[asLabelled]] = sideGradients(subject, pairOf(policy, c))
        const [[, flipped]] = sideGradients(subject, pairOf(policy, { ...c, w: c.l, l: c.w }))
        near(preferred * asLabelled + (1 - preferred) * flipped, 0, 1e-9 * Math.max(1, beta), 'the expected gradient')
      },
    }),
  ]
}
