import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import type { ExampleCase } from './example.js'
import { atReference, shifted } from './pairs.js'
import { sameGradient, type Subject } from './subject.js'

const scoresOf = ({ sequences: [chosen, rejected] }: ExampleCase) => ({
  chosen: chosen.whole.scores,
  rejected: rejected.whole.scores,
})

const withMargins = (examples: readonly ExampleCase[], of: (margin: number) => number): ExampleCase[] =>
  examples.map(({ sequences, pair }) => ({ sequences, pair: { ...pair, margin: of(pair.margin) } }))

/** Laws of objectives that compare the scores of two answers: reward models. */
export function scoreLaws(subject: Subject): Law[] {
  const { judge, show } = subject
  return [
    law({
      name: 'bradley-terry/margin',
      statement:
        'A margin is taken off the lead of the chosen score: a pair with it is a pair whose chosen score is lower.',
      formula: 'L(r_w, r_l, m) = L(r_w − m, r_l, 0), and so is its gradient',
      source: 'Llama 2, arXiv 2307.09288, eq. 2; OpenRLHF LogExpLoss ignores its margin',
      capability: 'margin',
      arbitrary: subject.examples(),
      show,
      holds: (examples) => {
        const lowered = shifted(subject, examples, (example, side) => (side === 0 ? -examples[example].pair.margin : 0))
        const [found, expected] = [judge([examples]), judge([withMargins(lowered, () => 0)])]
        near(found.loss, expected.loss, 1e-12, 'the loss with margins')
        sameGradient(found, expected, 1e-12)
      },
    }),
    law({
      name: 'bradley-terry/score-metrics',
      statement:
        'A pair is right only where the chosen score is strictly greater, margins are differences of scores whatever the data asks for, and extremes are those of all scores.',
      formula:
        'accuracy = mean [r_w > r_l], margin = mean (r_w − r_l), min_reward = min r over both answers of all pairs',
      source: 'TRL 1.16 reward_trainer.py; its min_reward and max_reward are averaged over batches',
      capability: 'scoreMetrics',
      arbitrary: fc
        .record({ examples: subject.examples(), tie: fc.boolean() })
        .map(({ examples: [first, ...others], tie }) => [
          ...(tie ? atReference(subject, [first]) : [first]),
          ...others,
        ]),
      show,
      holds: (examples) => {
        const { metrics } = judge([examples])
        const pairs = examples.map(scoresOf)
        const all = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected])
        const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
        const expected: Record<string, { readonly sum: number; readonly count: number }> = {
          accuracy: { sum: pairs.filter(({ chosen, rejected }) => chosen > rejected).length, count: pairs.length },
          margin: { sum: total(pairs.map(({ chosen, rejected }) => chosen - rejected)), count: pairs.length },
          mean_reward: { sum: total(all), count: all.length },
          min_reward: { sum: Math.min(...all), count: 1 },
          max_reward: { sum: Math.max(...all), count: 1 },
        }
        for (const [name, { sum, count }] of Object.entries(expected)) {
          require(name in metrics, `there is no metric ${name}`)
          near(metrics[name].sum / metrics[name].count, sum / count, 1e-10, name)
        }
      },
    }),
  ]
}
