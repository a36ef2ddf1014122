import fc from 'fast-check'
import { law, near, type Law } from '../law.js'
import type { ExampleCase } from './example.js'
import { judgeOf } from './judge.js'
import type { Padding } from './layout.js'
import { finiteJudgement, sameJudgement, type Subject } from './subject.js'

const showPadding = ({ tokens, examples, at, junk }: Padding): string =>
  `${tokens} tokens and ${examples} examples of ${junk} at the ${at}`

const padding = fc
  .record({
    tokens: fc.nat(3),
    examples: fc.nat(2),
    at: fc.constantFrom('end' as const, 'start' as const),
    junk: fc.constantFrom(NaN, Infinity, -Infinity, 1e30, -3),
  })
  .filter(({ tokens, examples }) => tokens + examples > 0)

/** Laws about how examples lie in batches: they hold for every objective. */
export function layoutLaws(subject: Subject): Law[] {
  const { judge, show } = subject
  return [
    law({
      name: 'split/micro-batches',
      statement:
        'Any split of a batch into micro-batches, of whatever sizes and lengths, has the loss and gradient of the whole.',
      formula: 'Σ_parts ∇(Σ_units loss / count of all units) = ∇ mean over all units',
      source: 'TRL issue 2617 and transformers issue 35856: losses divided per micro-batch',
      capability: 'decomposable',
      arbitrary: subject
        .examples({ fewest: 2, most: 5 })
        .chain((examples) =>
          fc
            .array(fc.nat(2), { minLength: examples.length, maxLength: examples.length })
            .map((parts) =>
              [0, 1, 2].map((k) => examples.filter((_, i) => parts[i] === k)).filter((part) => part.length > 0),
            ),
        ),
      show: (parts) => parts.map(show).join(' ‖ '),
      holds: (parts) => sameJudgement(judge(parts), judge([parts.flat()]), 1e-11),
    }),
    law({
      name: 'split/masked-slots',
      statement:
        'Padding tokens, sequences and pairs change neither loss nor gradient nor metrics, whatever they hold, NaN and Infinity included.',
      formula: 'L(batch ⊕ padding) = L(batch)',
      source: 'OpenRLHF issue 1240 and verl issue 6361: NaN · 0 = NaN; TRL PPO averaged its metrics over padding',
      arbitrary: fc.record({ examples: subject.examples(), padding }),
      show: (c) => `${show(c.examples)} with ${showPadding(c.padding)}`,
      holds: (c) => {
        const padded = judge([c.examples], c.padding)
        finiteJudgement(padded)
        sameJudgement(padded, judge([c.examples]), 1e-11)
      },
    }),
    law({
      name: 'split/order',
      statement: 'The order of the examples in a batch changes nothing.',
      formula: 'L(x_σ(1), ..., x_σ(n)) = L(x_1, ..., x_n)',
      source:
        'TRL issue 6952: a score that depends on its batch; rlhf-book’s KTO baseline depends on a roll of the batch that does nothing',
      arbitrary: subject
        .examples({ fewest: 2 })
        .chain((examples) =>
          fc
            .shuffledSubarray([...examples.keys()], { minLength: examples.length })
            .map((order) => ({ examples, order })),
        ),
      show: (c) => `${show(c.examples)} in the order ${c.order.join(' ')}`,
      holds: ({ examples, order }) => {
        const [before, after] = [judge([examples]), judge([order.map((at) => examples[at])])]
        // Equal margins may exchange their partners in a loss that sorts; its value stays.
        if (subject.objective.coupled) near(after.loss, before.loss, 1e-11, 'the loss')
        else sameJudgement({ ...after, gradient: reordered(after.gradient, examples, order) }, before, 1e-11)
      },
    }),
    law({
      name: 'split/metrics',
      statement:
        'Every metric of a batch is the mean (or the extreme) of what each example by itself gives: nothing is averaged twice or compared between batch means.',
      formula: 'sum(batch) = Σ_i sum(x_i), count(batch) = Σ_i count(x_i); least(batch) = min_i least(x_i)',
      source: 'mlx-lm-lora `accuracies` compares batch means; TRL averages `min_reward` over batches; TRL issue 2456',
      arbitrary: subject.examples({ fewest: 2, most: 5 }),
      show,
      holds: (examples) => {
        const { metrics, extremes } = judge([examples])
        const alone = examples.map((example) => judge([[example]]).metrics)
        const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
        for (const [name, { sum, count }] of Object.entries(metrics)) {
          const counted = alone.map((one) => one[name]).filter((one) => one.count > 0)
          const sums = counted.map((one) => one.sum)
          if (name in extremes) {
            if (counted.length === 0) continue
            near(sum, extremes[name] === 'least' ? Math.min(...sums) : Math.max(...sums), 1e-11, name)
          } else {
            near(count, total(counted.map((one) => one.count)), 0, `the count of ${name}`)
            near(sum, total(sums), 1e-11, `the sum of ${name}`)
          }
        }
      },
    }),
    law({
      name: 'objective/pure',
      statement: 'The same tensors in, the same loss, gradient and metrics out, however often it is asked.',
      formula: 'terms(t) = terms(t)',
      source: 'the contract of Objective: pure',
      arbitrary: subject.examples(),
      show,
      holds: (examples) => {
        // Judges of their own, since each builds the expressions of a shape once.
        const [one, other] = [judgeOf(subject.objective), judgeOf(subject.objective)].map((fresh) => fresh([examples]))
        sameJudgement(other, one, 0)
      },
      cost: 8,
    }),
  ]
}

/** Gradients of reordered examples, in the order before. */
function reordered(
  gradient: ReturnType<Subject['judge']>['gradient'],
  examples: readonly ExampleCase[],
  order: readonly number[],
): ReturnType<Subject['judge']>['gradient'] {
  return Object.fromEntries(
    Object.entries(gradient).map(([output, values]) => {
      const size = ({ sequences }: ExampleCase) =>
        output === 'scores' ? sequences.length : sequences.reduce((sum, { tokens }) => sum + tokens.length, 0)
      const parts = new Map<number, readonly number[]>()
      let start = 0
      for (const at of order) parts.set(at, values.slice(start, (start += size(examples[at]))))
      return [output, examples.flatMap((_, at) => parts.get(at) ?? [])]
    }),
  )
}
