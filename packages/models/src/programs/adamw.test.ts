import { interpret } from '@collimate/graph'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { l2, relativeError, sharedFolder, zerosLike } from '../testing/parity.js'
import { adamwFeeds, adamwProgram, clipScale, gradientNormProgram } from './adamw.js'

interface Case {
  readonly optimizer: string
  readonly settings: { lr: number; betas: [number, number]; eps: number; weight_decay: number; amsgrad?: boolean }
  readonly max_grad_norm?: number
  readonly parameters_after_each_step: number[][]
}

const folder = sharedFolder('parity/optim')
const fixtures = folder
  ? (JSON.parse(readFileSync(join(folder, 'optimizers.json'), 'utf8')) as {
      start: number[]
      gradients: number[][]
      cases: Case[]
    })
  : { start: [], gradients: [], cases: [] }
const cases = fixtures.cases.filter(({ optimizer, settings }) => optimizer === 'adamw' && !settings.amsgrad)

const host = (data: Float64Array, shape = [data.length]) => ({ dtype: 'float' as const, shape, data })

describe.skipIf(!folder)('AdamW equals torch.optim.AdamW (needs ../shared/parity/optim)', () => {
  test('with and without clipping', () => {
    expect(cases.map((one) => one.max_grad_norm ?? 0).sort()).toEqual([0, 0, 1])
  })

  test.each(cases.map((one) => [JSON.stringify({ ...one.settings, clip: one.max_grad_norm }), one] as const))(
    '%s',
    (_, one) => {
      // In two parameters, so that the norm is that of the whole gradient.
      const parameters = { a: { shape: [4], decay: true }, b: { shape: [2, 1], decay: true } }
      const split = (values: readonly number[]) => ({
        a: host(Float64Array.from(values.slice(0, 4))),
        b: host(Float64Array.from(values.slice(4)), [2, 1]),
      })
      const [beta1, beta2] = one.settings.betas
      const optimizer = {
        name: 'adamw' as const,
        beta1,
        beta2,
        epsilon: one.settings.eps,
        weightDecay: one.settings.weight_decay,
      }
      const update = adamwProgram(parameters, optimizer)
      const norm = gradientNormProgram(parameters)
      const weights = split(fixtures.start)
      const states = {
        ...weights,
        ...zerosLike(weights, 'grad.'),
        ...zerosLike(weights, 'adam.m.'),
        ...zerosLike(weights, 'adam.v.'),
      }
      const history = fixtures.gradients.map((gradient, i) => {
        const { a, b } = split(gradient)
        Object.assign(states, { 'grad.a': a, 'grad.b': b })
        const gradNorm = interpret(norm, { states }).outputs['gradNorm'].data[0]
        expect(gradNorm).toBeCloseTo(l2(gradient), 10)
        const maxGradNorm = one.max_grad_norm ?? 0
        const feeds = adamwFeeds({ optimizer, learningRate: one.settings.lr, step: i + 1, gradNorm, maxGradNorm })
        interpret(update, { feeds, states })
        return [...weights.a.data, ...weights.b.data]
      })
      expect(relativeError(history.flat(), one.parameters_after_each_step.flat())).toBeLessThan(1e-10)
    },
  )
})

test('decay touches what it should, at learning rate 0 nothing moves', () => {
  const parameters = { matrix: { shape: [1, 1], decay: true }, gain: { shape: [1], decay: false } }
  const optimizer = { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.5 } as const
  const run = (learningRate: number) => {
    const weights = { matrix: host(Float64Array.of(2), [1, 1]), gain: host(Float64Array.of(2)) }
    const states = {
      ...weights,
      ...zerosLike(weights, 'grad.'),
      ...zerosLike(weights, 'adam.m.'),
      ...zerosLike(weights, 'adam.v.'),
    }
    const feeds = adamwFeeds({ optimizer, learningRate, step: 1, gradNorm: 0, maxGradNorm: 1 })
    interpret(adamwProgram(parameters, optimizer), { feeds, states })
    return [weights.matrix.data[0], weights.gain.data[0]]
  }
  expect(run(0.1)).toEqual([1.9, 2])
  expect(run(0)).toEqual([2, 2])
})

test('clipping', () => {
  expect(clipScale(5, 0)).toBe(1)
  expect(clipScale(0.5, 1)).toBe(1)
  expect(clipScale(4, 1)).toBeCloseTo(0.25, 6)
})
