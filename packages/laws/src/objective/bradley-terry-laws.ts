import fc from 'fast-check'
import type { AnswerSums } from '../formulas/preferences.js'
import { law, near, require, type Law } from '../law.js'
import { grid, swapped } from './example.js'
import { pairSums, shifted, sideGradients, withMargin } from './pairs.js'
import type { Subject } from './subject.js'

/** Which claim the laws of a group ask for, and what they are bound to. */
export interface PairLawParts {
  readonly subject: Subject
  readonly beta: number
  /** Only pairs whose answers are equally long. */
  readonly equalLengths?: boolean
}

/** Bradley-Terry: the loss as −log P(chosen ≻ rejected), and what losses of a margin have in common. */
export function bradleyTerryLaws({ subject, beta, equalLengths = false }: PairLawParts): Law[] {
  const { judge, show } = subject
  const onePair = subject.examples({ most: 1 })
  const loss = (examples: Parameters<typeof judge>[0][0]) => judge([examples]).loss
  return [
    law({
      name: 'bradley-terry/complement',
      statement: 'The probabilities that one answer is preferred and that the other is add up to 1.',
      formula: 'exp(−L(w, l)) + exp(−L(l, w)) = 1',
      source: 'Bradley and Terry, Biometrika 39 (1952)',
      capability: 'bradleyTerry',
      arbitrary: onePair,
      show,
      holds: (pair) => near(Math.exp(-loss(pair)) + Math.exp(-loss(swapped(pair))), 1, 1e-12, 'P(w ≻ l) + P(l ≻ w)'),
    }),
    law({
      name: 'bradley-terry/log-odds-chain',
      statement: 'Log-odds add along a chain of three answers.',
      formula: 'logit P(a ≻ b) + logit P(b ≻ c) = logit P(a ≻ c), with logit P(w ≻ l) = L(l, w) − L(w, l)',
      source: 'Bradley and Terry, Biometrika 39 (1952); Rafailov et al., arXiv 2305.18290, eq. 1',
      capability: 'bradleyTerry',
      arbitrary: fc.record({ pair: onePair, ab: grid(-30, 30), bc: grid(-30, 30) }),
      show: ({ pair, ab, bc }) => `margins ${ab} and ${bc} in place of those of ${show(pair)}`,
      holds: ({ pair, ab, bc }) => {
        const logit = (margin: number) => {
          const example = withMargin(subject, pair, beta, () => margin)
          return loss(swapped(example)) - loss(example)
        }
        near(logit(ab) + logit(bc), logit(ab + bc), 1e-9, 'the sum of the log-odds')
      },
    }),
    law({
      name: 'bradley-terry/far-margins',
      statement: 'A margin of ±10000 costs what it should: 0 on the right side, the margin itself on the wrong one.',
      formula: 'L(βD = 1e4) = 0, L(βD = −1e4) = 1e4',
      source: 'OpenRLHF LogExpLoss: log(1 + exp(x)) overflows',
      capability: 'bradleyTerry',
      arbitrary: onePair,
      show,
      holds: (pair) => {
        near(loss(withMargin(subject, pair, beta, () => 1e4)), 0, 1e-12, 'the loss at margin 1e4')
        near(loss(withMargin(subject, pair, beta, () => -1e4)), 1e4, 1e-9, 'the loss at margin −1e4')
      },
    }),
    law({
      name: 'bradley-terry/monotone',
      statement: 'The loss never rises as the chosen answer gains on the rejected one.',
      formula: 'D ≤ D′ → L(D′) ≤ L(D)',
      source: 'open-instruct issue 729: a comparison the wrong way round',
      capability: 'monotone',
      arbitrary: fc.record({ pair: onePair, gain: grid(0, 20) }),
      show: ({ pair, gain }) => `${show(pair)}, the chosen answer gaining ${gain}`,
      holds: ({ pair, gain }) => {
        const [before, after] = [loss(pair), loss(shifted(subject, pair, (_, side) => (side === 0 ? gain : 0)))]
        require(after <= before + 1e-12 * Math.max(1, Math.abs(before)), `the loss rises from ${before} to ${after}`)
      },
    }),
    law({
      name: 'bradley-terry/antisymmetric',
      statement: equalLengths
        ? 'For answers of equal length, the gradient of the chosen answer is that of the rejected one, negated.'
        : 'The gradient of the chosen answer is that of the rejected one, negated.',
      formula: '∂L/∂log π(y_w) = −∂L/∂log π(y_l)',
      source: 'Rafailov et al., arXiv 2305.18290, the gradient after eq. 7',
      capability: 'antisymmetric',
      arbitrary: subject.examples({ equalLengths }),
      show,
      holds: (examples) =>
        sideGradients(subject, examples).forEach(([chosen, rejected], pair) =>
          near(chosen, -rejected, 1e-12, `the gradient of the chosen answer of pair ${pair}`),
        ),
    }),
    law({
      name: 'bradley-terry/sums-matter',
      statement:
        'Only the sum over the tokens of an answer matters: all its tokens have one gradient, and how its log-prob is spread over them changes nothing.',
      formula: '∂L/∂log π(y_t) is one number for all t of an answer',
      source: 'Rafailov et al., arXiv 2305.18290: log π(y|x) = Σ_t log π(y_t | x, y_<t)',
      capability: 'sequenceSums',
      arbitrary: subject.examples(),
      show,
      holds: (examples) => {
        const values = judge([examples]).gradient.logProbs ?? []
        let at = 0
        for (const { sequences } of examples)
          for (const { tokens } of sequences) {
            const first = values[at]
            for (const end = at + tokens.length; at < end; at++)
              near(values[at], first, 1e-12, `the gradient of token ${at}`)
          }
      },
    }),
    law({
      name: 'bradley-terry/metrics',
      statement:
        'Rewards are β h, margins their difference, a pair is right only where the chosen reward is strictly greater; each metric can be computed again from what the model says of the tokens.',
      formula: 'rewards/chosen = mean β (log π(y_w) − log π_ref(y_w)), accuracies = mean [β h_w > β h_l]',
      source: 'TRL 1.16 dpo_trainer.py; mlx-lm-lora `accuracies`',
      capability: 'implicitRewards',
      arbitrary: subject.examples(),
      show,
      holds: (examples) => {
        const { metrics } = judge([examples])
        const sums = pairSums(examples)
        const reward = ({ logProb, refLogProb }: AnswerSums) => beta * (logProb - refLogProb)
        const sides = [sums.map(({ chosen }) => reward(chosen)), sums.map(({ rejected }) => reward(rejected))]
        const expected: Record<string, number[]> = {
          'rewards/chosen': sides[0],
          'rewards/rejected': sides[1],
          'rewards/margins': sides[0].map((reward, i) => reward - sides[1][i]),
          'rewards/accuracies': sides[0].map((reward, i) => Number(reward > sides[1][i])),
          'logps/chosen': sums.map(({ chosen }) => chosen.logProb),
          'logps/rejected': sums.map(({ rejected }) => rejected.logProb),
        }
        const tokens = (name: string, side?: number): number[] =>
          examples.flatMap(({ sequences }) =>
            sequences.flatMap((sequence, at) =>
              side === undefined || at === side ? sequence.tokens.map((token) => token[name]) : [],
            ),
          )
        const perToken: Record<string, number[]> = {
          'logits/chosen': tokens('meanLogits', 0),
          'logits/rejected': tokens('meanLogits', 1),
          mean_token_accuracy: tokens('correct', 0),
          entropy: tokens('entropy'),
        }
        for (const [name, values] of Object.entries(perToken)) if (name in metrics) expected[name] = values
        for (const [name, values] of Object.entries(expected)) {
          require(name in metrics, `there is no metric ${name}`)
          near(metrics[name].count, values.length, 0, `the count of ${name}`)
          near(
            metrics[name].sum,
            values.reduce((a, b) => a + b, 0),
            1e-10,
            `the sum of ${name}`,
          )
        }
      },
    }),
  ]
}
