import type { ModelOutput } from '@collimate/core'
import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { refused } from '../refused.js'
import { exampleOf } from '../world/distribution-of.js'
import { batchOf, examplesOf, real, showTrees, trees } from './cases.js'
import { scoreAscent, weightedLikelihood } from './objectives.js'
import { readings } from './readings.js'
import { descent, gradientOf, sameNumbers, type Subject } from './subject.js'

const everyOutput: readonly ModelOutput[] = ['logProbs', 'entropy', 'correct', 'meanLogits', 'values', 'scores']

/** What the heads of a model give: tokens at a temperature, values of states, scores of sequences. */
export function headLaws(subject: Subject): Law[] {
  const { tolerance } = subject
  const trains = subject.claims === undefined || subject.claims.update === true
  const told = subject.outputs ?? everyOutput.slice(0, 4)

  const always = [
    law({
      name: 'scalar-head/outputs',
      statement: 'A model gives the outputs that it describes, and refuses the others.',
      formula: 'name ∈ describe().outputs ⇔ outputs(name) is given, one number per token or sequence',
      source: 'ModelDescription.outputs; an output that is silently 0 trains on nothing',
      cost: 4,
      arbitrary: trees(1, 2, 2),
      show: (given) => showTrees(given, subject),
      holds: (given) =>
        subject.using(async ({ policy, about }) => {
          require([...about.outputs].sort().join() ===
            [...told].sort().join(), `describe names the outputs ${about.outputs.join(', ')}, not ${told.join(', ')}`)
          const batch = batchOf(examplesOf(given, about))
          for (const name of everyOutput) {
            if (!told.includes(name)) {
              await refused(`the output ${name}`, () => policy.outputs({ batch, names: [name] }))
              continue
            }
            const { [name]: values } = await policy.outputs({ batch, names: [name] })
            const units = name === 'scores' ? batch.sequenceCount : batch.targets.length
            require(values?.length === units, `${name} has ${values?.length} values for ${units} units`)
          }
          if (told.includes('logProbs')) return
          await refused('logProbs', () => policy.logProbs({ batch }))
          const sampling = { maxNewTokens: 1, temperature: 1, seed: 0 }
          await refused('generate', () => policy.generate({ prompts: [Int32Array.of(0)], sampling }))
        }),
    }),
    law({
      name: 'scalar-head/score-is-value',
      statement:
        'The score of a sequence is the value of the state that it ends in, wherever it stands: nothing behind its last token is read.',
      formula: 'score(x, y) = V(x y), read before any token that follows',
      source:
        'ForestBatch.ends; transformers: the last token that is not padding; pitfalls class 11 to 13: scores read at padding',
      cost: 4,
      capability: 'scores',
      arbitrary: trees(1, 3, 3),
      show: (given) => showTrees(given, subject),
      holds: (given) =>
        subject.using(async (opened) => {
          const { policy, about } = opened
          const room = { ...about, contextLength: about.contextLength - 1 }
          const examples = examplesOf(given, room)
          const { values } = await policy.outputs({
            batch: batchOf(
              examples.flatMap(({ prompt, completions }, index) =>
                completions.map((ids) => exampleOf(index, [...prompt, ...ids], [[0]])),
              ),
            ),
            names: ['values'],
          })
          const count = examples.reduce((sum, { completions }) => sum + completions.length, 0)
          for (const layout of ['shared', 'packed', 'separate'] as const)
            // Alone, a program of scores may leave out what no end needs; together it may not.
            for (const names of [['scores'], ['scores', 'values']] as const) {
              const { scores } = await policy.outputs({ batch: batchOf(examples, layout), names })
              sameNumbers(scores ?? [], values!.slice(0, count), tolerance, `scores in ${layout} rows`)
            }
        }),
    }),
    law({
      name: 'language-model/loss-temperature',
      statement: 'A temperature of an update divides the logits of its loss and its metrics.',
      formula: 'L_τ = −Σ w_t log π_τ(y_t) / T, the loss and the log-probs of a temperature being the same π_τ',
      source: 'UpdateRequest.temperature; trl#3029, open-instruct#1678: a loss at temperature 1 on samples of another',
      cost: 3,
      capability: 'language',
      arbitrary: fc.record({ given: trees(1, 2, 3), tenths: fc.integer({ min: 2, max: 40 }) }),
      show: ({ given, tenths }) => `${showTrees(given, subject)}; temperature ${tenths / 10}`,
      holds: ({ given, tenths }) =>
        subject.using(async ({ policy, about }) => {
          const batch = batchOf(examplesOf(given, about))
          const temperature = tenths / 10
          const logProbs = real(batch, await policy.logProbs({ batch, temperature }))
          const weights = real(batch, batch.inputs.weights)
          const loss = logProbs.reduce((sum, logProb, t) => sum - weights[t] * logProb, 0) / logProbs.length
          const request = { objective: weightedLikelihood, batches: [batch], metrics: true, temperature }
          const reports = [await policy.evaluate(request)]
          if (trains) reports.push((await gradientOf(policy, weightedLikelihood, [batch], temperature)).report)
          const total = logProbs.reduce((sum, logProb) => sum + logProb, 0)
          for (const report of reports) {
            near(report.loss, loss, 10 * tolerance, 'loss')
            near(report.metrics.logProb?.sum ?? NaN, total, 10 * tolerance, 'sum of log π_τ')
          }
        }),
    }),
  ]

  const trained = law({
    name: 'scalar-head/step',
    statement: 'A step up the gradient of the scores raises them by as much as the gradient says.',
    formula: 's(θ + η∇s) = s(θ) + η ‖∇s‖² + O(η²), s the mean score of a batch',
    source:
      'first-order Taylor expansion; a head that is detached from its trunk, or a trunk that is frozen, moves by less',
    cost: 6,
    capability: 'scores',
    arbitrary: trees(1, 2, 3),
    show: (given) => showTrees(given, subject),
    holds: (given) =>
      subject.using(async (opened) => {
        const { policy, about } = opened
        const batch = batchOf(examplesOf(given, about), 'shared', [])
        const mean = async (): Promise<number> => {
          const scores = (await readings(opened, batch)).get('scores')!
          return scores.reduce((sum, score) => sum + score, 0) / scores.length
        }
        const { gradient } = await gradientOf(policy, scoreAscent, [batch])
        const squared = [...gradient.values()].reduce(
          (sum, data) => sum + Array.from(data).reduce((a, g) => a + g * g, 0),
          0,
        )
        const before = await mean()
        const start = await policy.snapshot()
        // With an ε beyond any gradient a step of AdamW is a step along it.
        const epsilon = 1e6
        const moved = async (rate: number): Promise<number> => {
          await policy.restore({ snapshot: start })
          const optimizer = { ...descent.optimizer, beta1: 0, beta2: 0, epsilon }
          const learningRate = rate * epsilon
          await policy.update({ ...descent, objective: scoreAscent, batches: [batch], optimizer, learningRate })
          return ((await mean()) - before) / rate
        }
        // The slope at 0 of a quadratic through three points: what is left is of third order.
        const rate = Math.cbrt(tolerance) / (10 * Math.sqrt(squared))
        const slope = (8 * (await moved(rate)) - 6 * (await moved(2 * rate)) + (await moved(4 * rate))) / 3
        near(
          slope / squared,
          1,
          Math.max(1e-4, 2500 * tolerance),
          'rise of the scores over that which the gradient promises',
        )
      }),
  })
  return trains ? [...always, trained] : always
}
