import { microBatches } from '@collimate/data'
import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { batchOf, examplesOf, lawInputs, promptOf, known, real, showTrees, tokens, trees } from './cases.js'
import { padded, type Padding } from './padding.js'
import { allReadings, joined, perToken, readings, sameReadings, type Readings } from './readings.js'
import { gradientOf, sameGradient, type Subject } from './subject.js'
import { exampleOf } from '../world/distribution-of.js'

const paddings: fc.Arbitrary<Padding> = fc.record({
  before: fc.nat(3),
  between: fc.nat(1),
  behind: fc.nat(3),
  scoredBefore: fc.nat(2),
  scoredBehind: fc.nat(3),
  pairs: fc.nat(1),
})

/** What the layout of a batch must not change. */
export function layoutLaws(subject: Subject): Law[] {
  const { tolerance } = subject
  return [
    law({
      name: 'language-model/causality',
      statement: 'The probability of a token, and the value of the state before it, do not depend on what comes after.',
      formula: 'log π(y_t | x, y_<t) and V(x y_<t) are the same for every y_>t',
      source: 'definition of an autoregressive model; ForestBatch: a token sees itself and earlier tokens',
      cost: 2,
      arbitrary: fc.record({ prompt: tokens(1, 5), start: tokens(1, 4), one: tokens(1, 4), other: tokens(1, 4) }),
      show: ({ prompt, start, one, other }) =>
        `${showTrees(
          [
            {
              prompt,
              completions: [
                [...start, ...one],
                [...start, ...other],
              ],
            },
          ],
          subject,
        )} (alike in ${start.length} tokens)`,
      holds: ({ prompt, start, one, other }) =>
        subject.using(async (opened) => {
          const given = [
            {
              prompt,
              completions: [
                [...start, ...one],
                [...start, ...other],
              ],
            },
          ]
          const [{ completions, ...example }] = examplesOf(given, opened.about)
          const alike = Math.min(start.length, completions[0].length)
          const [first, second] = await Promise.all(
            completions.map((ids) => readings(opened, batchOf([{ ...example, completions: [ids] }]))),
          )
          // The value before the first token that differs is the same too.
          const common = (all: Readings): Readings =>
            new Map(
              [...perToken(all)].map(([name, values]) => [name, values.slice(0, name === 'values' ? least : alike)]),
            )
          const least = Math.min(alike + 1, ...completions.map(({ length }) => length))
          sameReadings(common(second), common(first), tolerance, 'of the common beginning')
        }),
    }),
    law({
      name: 'language-model/chain',
      statement: 'The tokens of a sequence are scored as if each were the last: the chain rule holds.',
      formula: 'log π(y|x) = Σ_t log π(y_t | x, y_<t), and V(x y_<t) for each t',
      source: 'pitfalls of log-probs and masks that are off by one: verl#3287, minimind#621',
      cost: 4,
      arbitrary: fc.record({ prompt: tokens(1, 5), completion: tokens(1, 5) }),
      show: ({ prompt, completion }) => showTrees([{ prompt, completions: [completion] }], subject),
      holds: ({ prompt, completion }) =>
        subject.using(async (opened) => {
          const [example] = examplesOf([{ prompt, completions: [completion] }], opened.about)
          const whole = perToken(await readings(opened, batchOf([example])))
          const steps = Array.from(example.completions[0], (token, t) =>
            exampleOf(t, [...example.prompt, ...example.completions[0].subarray(0, t)], [[token]]),
          )
          const single = perToken(await readings(opened, batchOf(steps)))
          sameReadings(whole, single, tolerance)
        }),
    }),
    law({
      name: 'language-model/layout',
      statement:
        'Sharing a prompt, packing examples into a row and giving each completion a row of its own are the same.',
      formula: 'log π, values, scores and their gradients are equal for rows that are shared, packed and separate',
      source: 'trl#1230, trl#805, Liger-Kernel#329: packing that leaks; ForestBatch',
      cost: 5,
      capability: 'update',
      arbitrary: trees(),
      show: (given) => showTrees(given, subject),
      holds: (given) =>
        subject.using(async (opened) => {
          const examples = examplesOf(given, opened.about)
          const of = async (layout: 'shared' | 'packed' | 'separate') => {
            const batch = batchOf(examples, layout)
            const values = await readings(opened, batch)
            return { values, ...(await gradientOf(opened.policy, opened.objectives.weighted, [batch])) }
          }
          const separate = await of('separate')
          for (const layout of ['shared', 'packed'] as const) {
            const other = await of(layout)
            sameReadings(other.values, separate.values, tolerance, `in ${layout} rows`)
            near(other.report.loss, separate.report.loss, 10 * tolerance, `loss of ${layout} rows`)
            sameGradient(other.gradient, separate.gradient, tolerance)
          }
        }),
    }),
    law({
      name: 'language-model/padding',
      statement: 'Padding changes nothing, wherever it stands and whatever it holds.',
      formula:
        'outputs, loss and gradient are those of the batch without padding, NaN in padded inputs included; outputs at padding are 0',
      source: 'OpenRLHF#1240 (NaN · 0), trl#2708, trl#5338: masks come from segments, never from token identity',
      cost: 5,
      capability: 'update',
      arbitrary: fc.record({ given: trees(2, 2, 3), padding: paddings }),
      show: ({ given, padding }) => `${showTrees(given, subject)}; padding ${JSON.stringify(padding)}`,
      holds: ({ given, padding }) =>
        subject.using(async (opened) => {
          const batch = batchOf(examplesOf(given, opened.about), 'shared', ['weights', 'chosen'])
          const wider = padded(batch, padding)
          sameReadings(await readings(opened, wider), await readings(opened, batch), tolerance)
          sameReadings(await allReadings(opened, wider), await allReadings(opened, batch), tolerance)
          const { everyUnit } = opened.objectives
          const plain = await gradientOf(opened.policy, everyUnit, [batch])
          const found = await gradientOf(opened.policy, everyUnit, [wider])
          near(found.report.loss, plain.report.loss, 10 * tolerance, 'loss')
          require(found.report.tokens ===
            plain.report
              .tokens, `the update counts ${found.report.tokens} tokens, without padding ${plain.report.tokens}`)
          sameGradient(found.gradient, plain.gradient, tolerance)
        }),
    }),
    law({
      name: 'language-model/neighbours',
      statement: 'What else is in the batch changes no score.',
      formula: 'log π(y|x), values and scores alone = among other rows',
      source: 'trl#2708, transformers#35352: batch of one = batch of many',
      cost: 4,
      arbitrary: trees(1, 2, 5),
      show: (given) => showTrees(given, subject),
      holds: (given) =>
        subject.using(async (opened) => {
          const examples = examplesOf(given, opened.about)
          const together = await readings(opened, batchOf(examples))
          const alone: Readings[] = []
          for (const example of examples) alone.push(await readings(opened, batchOf([example])))
          sameReadings(together, joined(alone), tolerance)
        }),
    }),
    law({
      name: 'split/micro-batches',
      statement:
        'The gradient, loss and metrics of a batch are those of any split into micro-batches, uneven lengths included.',
      formula: '∇ L(B) = ∇ L(B_1 ∪ … ∪ B_k) for every partition of B',
      source: 'trl#2617 (18 trainers), trl#2175, transformers#35856: averages of averages',
      cost: 6,
      capability: 'update',
      arbitrary: fc.record({
        given: trees(2, 2, 5),
        microBatchSize: fc.integer({ min: 1, max: 3 }),
        sort: fc.boolean(),
      }),
      show: ({ given, microBatchSize }) => `${showTrees(given, subject)}; in micro-batches of ${microBatchSize}`,
      holds: ({ given, microBatchSize, sort }) =>
        subject.using(async (opened) => {
          const examples = examplesOf(given, opened.about)
          const { everyUnit } = opened.objectives
          const whole = await gradientOf(opened.policy, everyUnit, [batchOf(examples, 'shared', ['weights', 'chosen'])])
          const { batches } = microBatches(examples, { microBatchSize, sortByLength: sort, inputs: lawInputs })
          const parts = await gradientOf(opened.policy, everyUnit, batches)
          near(parts.report.loss, whole.report.loss, 10 * tolerance, 'loss')
          near(parts.report.gradNorm, whole.report.gradNorm, 10 * tolerance, 'gradient norm')
          for (const [name, { sum, count }] of Object.entries(whole.report.metrics)) {
            require(parts.report.metrics[name]?.count ===
              count, `metric ${name} counts ${parts.report.metrics[name]?.count}, not ${count}`)
            near(parts.report.metrics[name].sum, sum, 10 * tolerance, `sum of metric ${name}`)
          }
          require(parts.report.microBatches.length ===
            batches.length, `the report has ${parts.report.microBatches.length} micro-batches`)
          sameGradient(parts.gradient, whole.gradient, tolerance)
        }),
    }),
    law({
      name: 'language-model/next-token',
      statement:
        'The probabilities of the next token add up to 1, at any temperature, and the temperature divides the logits.',
      formula: 'Σ_v π_τ(v | x) = 1;  log π_τ(v) − log π_τ(u) = (log π(v) − log π(u)) / τ',
      source: 'trl#3029, open-instruct#1678: temperature missing in the trainer’s log-probs',
      cost: 3,
      capability: 'language',
      arbitrary: fc.record({ prompt: tokens(1, 6), tenths: fc.integer({ min: 2, max: 40 }) }),
      show: ({ prompt, tenths }) =>
        `prompt [${known(prompt, subject.size() ?? { vocabularySize: 32 }).join(' ')}], temperature ${tenths / 10}`,
      holds: ({ prompt, tenths }) =>
        subject.using(async ({ policy, about }) => {
          const all = Array.from({ length: about.vocabularySize }, (_, token) => [token])
          const batch = batchOf([exampleOf(0, promptOf(prompt, about), all)])
          const temperature = tenths / 10
          const names = (['entropy', 'correct'] as const).filter((name) => about.outputs.includes(name))
          const [plain, tempered, others] = [
            real(batch, await policy.logProbs({ batch })),
            real(batch, await policy.logProbs({ batch, temperature })),
            await policy.outputs({ batch, names, temperature }),
          ]
          near(
            tempered.reduce((sum, logProb) => sum + Math.exp(logProb), 0),
            1,
            about.vocabularySize * tolerance,
            'Σ_v π_τ(v)',
          )
          tempered.forEach((logProb, v) =>
            near(
              logProb - tempered[0],
              (plain[v] - plain[0]) / temperature,
              10 * tolerance,
              `log π_τ(${v}) − log π_τ(0)`,
            ),
          )
          const entropy = tempered.reduce((sum, logProb) => sum - Math.exp(logProb) * logProb, 0)
          real(batch, others.entropy ?? []).forEach((value) => near(value, entropy, 20 * tolerance, 'entropy'))
          const most = Math.max(...tempered)
          real(batch, others.correct ?? []).forEach((value, v) => {
            const clear = tempered.every((logProb, u) => u === v || Math.abs(logProb - tempered[v]) > 10 * tolerance)
            if (clear) near(value, tempered[v] === most ? 1 : 0, 0, `correct of token ${v}`)
          })
        }),
    }),
  ]
}
