import { expect, test } from 'vitest'
import { z } from 'zod'
import { adamwOptions, learningRatePlan, trainingPlan, trainingShape } from './training-options.js'

const defaults = { learningRate: 1e-6, epochs: 1 }
const schema = z.strictObject(trainingShape(defaults))

test('defaults are those of TRL and transformers', () => {
  const options = schema.parse({})
  expect(adamwOptions(options)).toEqual({ name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 })
  expect(trainingPlan(options, defaults)).toEqual({
    data: { maxLength: 1024, truncation: 'keep_start' },
    batchSize: 8,
    length: { epochs: 1 },
    shuffle: true,
  })
  expect(learningRatePlan(options, 30)).toEqual({
    learningRate: 1e-6,
    schedule: 'linear',
    warmupSteps: 0,
    totalSteps: 30,
  })
})

test('every option says what it is and its default', () => {
  for (const [name, option] of Object.entries(schema.shape)) expect(option.description, name).toMatch(/default /)
})

test('a warm-up ratio is rounded up', () => {
  expect(learningRatePlan(schema.parse({ warmupRatio: 0.1 }), 25).warmupSteps).toBe(3)
})

test.each([
  { steps: 5, epochs: 1 },
  { warmupSteps: 0, warmupRatio: 0.1 },
])('refuses %o', (given) => {
  expect(() => trainingPlan(schema.parse(given), defaults)).toThrow(
    expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT' }),
  )
})

test.each([
  { batchSize: 0 },
  { steps: 1.5 },
  { learningRate: -1 },
  { learningRate: Number.NaN },
  { beta2: 1 },
  { epsilon: 0 },
  { maxLength: 1 },
  { truncation: 'middle' },
  { schedule: 'sine' },
])('the shape refuses %o', (given) => {
  expect(schema.safeParse(given).success).toBe(false)
})
