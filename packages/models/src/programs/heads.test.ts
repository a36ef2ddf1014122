import type { ModelOutput, Objective } from '@collimate/core'
import { interpret, square, type Tensor } from '@collimate/graph'
import { describe, expect, test } from 'vitest'
import type { ModelHead } from '../architectures/model-head.js'
import type { ModelFiles } from '../files/model-files.js'
import { feedsOf, float64, forestBatch, zerosLike } from '../testing/parity.js'
import { tinyGpt2, tinyLlama } from '../testing/tiny-models.js'
import { batchSizes } from './batch-inputs.js'
import { termScales } from './count-units.js'
import { objectiveProgram } from './objective-program.js'
import { outputsProgram } from './outputs-program.js'

const makers = { llama: tinyLlama, gpt2: tinyGpt2 }
const untied = { tie_word_embeddings: false }

/** A prompt of one token with completions of two and of three, and two slots of padding. */
const batch = forestBatch(
  {
    ...{ rows: 1, width: 7, tokens: [1, 4, 5, 6, 7, 8, 0], positions: [0, 1, 2, 1, 2, 3, 0] },
    ...{ segments: [0, 1, 1, 2, 2, 2, -1], prompts: [0, 0, 0, 0, 0, 0, -1] },
  },
  [
    { source: 0, target: 4, sequence: 0 },
    { source: 1, target: 5, sequence: 0 },
    { source: 0, target: 6, sequence: 1 },
    { source: 3, target: 7, sequence: 1 },
    { source: 4, target: 8, sequence: 1 },
  ],
  2,
  2,
)
const sizes = batchSizes(batch)

function outputs(files: ModelFiles, names: readonly ModelOutput[]) {
  const built = outputsProgram({ ...files, sizes, names })
  const run = interpret(built, { feeds: feedsOf(built, batch), states: float64(files.weights) })
  return { built, outputs: run.outputs }
}

describe.each(['llama', 'gpt2'] as const)('heads of %s', (name) => {
  test.each([
    ['language', ['logProbs', 'entropy', 'correct', 'meanLogits']],
    ['score', ['values', 'scores']],
    ['language+score', ['logProbs', 'entropy', 'correct', 'meanLogits', 'values', 'scores']],
  ] as const)('%s gives %o and refuses the others by name', (head, has) => {
    const files = makers[name](1, untied, head)
    const all = ['logProbs', 'entropy', 'correct', 'meanLogits', 'values', 'scores'] as const
    expect(Object.keys(outputs(files, has).outputs).sort()).toEqual([...has].sort())
    for (const missing of all.filter((output) => !(has as readonly string[]).includes(output)))
      expect(() => outputsProgram({ ...files, sizes, names: [missing] })).toThrow(
        expect.objectContaining({
          code: 'COLLIMATE_OUTPUT_MISSING',
          message: expect.stringMatching(`"${missing}".*\`${head.replace('+', '\\+')}\`.*${has.join(', ')}`) as string,
        }) as Error,
      )
  })

  test('one trunk under every head: equal log-probs, values and scores', () => {
    const [language, score, both] = (['language', 'score', 'language+score'] as ModelHead[]).map((head) =>
      makers[name](1, untied, head),
    ) as [ModelFiles, ModelFiles, ModelFiles]
    const all = outputs(both, ['logProbs', 'values', 'scores']).outputs
    expect(outputs(language, ['logProbs']).outputs['logProbs'].data).toEqual(all['logProbs'].data)
    expect(outputs(score, ['values']).outputs['values'].data).toEqual(all['values'].data)
    expect(outputs(score, ['scores', 'values']).outputs['scores'].data).toEqual(all['scores'].data)
    const alone = outputs(score, ['scores']).outputs['scores'].data
    alone.forEach((value, n) => expect(value).toBeCloseTo(all['scores'].data[n], 12))
    expect([...alone.slice(2)]).toEqual([0, 0])
  })

  test('only what is asked for is computed', () => {
    // The vocabulary has 11 tokens, the feed-forward layers are 12 or 48 wide, and the row has 7 tokens.
    const inner = name === 'llama' ? 12 : 48
    const shapesOf = (names: readonly ModelOutput[], head: ModelHead) =>
      outputs(makers[name](1, untied, head), names).built.nodes.map(({ shape }) => shape.join())
    const wide = (shapes: readonly string[]) => new Set(shapes.filter((shape) => shape.endsWith(`,${inner}`)))
    for (const names of [['scores'], ['values'], ['values', 'scores']] as const)
      expect(shapesOf(names, 'language+score').filter((shape) => shape.split(',').includes('11'))).toEqual([])
    // The last layer of two works on the four ends alone.
    expect(wide(shapesOf(['scores'], 'score'))).toEqual(new Set([`7,${inner}`, `4,${inner}`]))
    expect(wide(shapesOf(['values', 'scores'], 'score'))).toEqual(new Set([`7,${inner}`]))
  })

  test('gradients flow through both heads, and into neither that the loss does not read', () => {
    const files = makers[name](1, untied, 'language+score')
    const gradientOf = (outputNames: readonly ModelOutput[]): Record<string, ArrayLike<number>> => {
      const objective: Objective<Tensor> = {
        ...{ name: 'squares', outputs: outputNames, inputs: {}, coupled: false, metrics: () => ({}) },
        terms: (t) =>
          outputNames.map((output) => ({
            perUnit: square(t[output as 'values']),
            unit: output === 'scores' ? 'sequences' : 'tokens',
          })),
      }
      const built = objectiveProgram({ ...files, sizes, objective, metrics: false, gradients: 'assign' })
      const states = { ...float64(files.weights), ...zerosLike(files.weights, 'grad.') }
      interpret(built.program, { feeds: feedsOf(built.program, batch, termScales(built.terms, [batch])), states })
      return Object.fromEntries(Object.keys(files.weights).map((weight) => [weight, states[`grad.${weight}`].data]))
    }
    const parts = [['logProbs'], ['values'], ['scores']] as const
    const [language, values, scores] = parts.map((names) => gradientOf(names))
    const whole = gradientOf(['logProbs', 'values', 'scores'])
    for (const weight of Object.keys(files.weights))
      Array.from(whole[weight]).forEach((value, i) =>
        expect(value).toBeCloseTo(language[weight][i] + values[weight][i] + scores[weight][i], 12),
      )
    const isZero = (data: ArrayLike<number>) => Array.from(data).every((value) => value === 0)
    expect(isZero(language['score.weight'])).toBe(true)
    expect(isZero(values['lm_head.weight'])).toBe(true)
    expect(isZero(scores['lm_head.weight'])).toBe(true)
    expect([values, scores].some((gradient) => isZero(gradient['score.weight']))).toBe(false)
  })
})
