import { expect, test } from 'vitest'
import { createTrainer, options } from './index.js'

const trainerOf = (given: object) => createTrainer(options.parse(given))

test('the plan says what the runner must know', () => {
  expect(trainerOf({ steps: 5, batchSize: 4 }).plan).toMatchObject({
    dataset: 'prompt-completion',
    length: { steps: 5 },
    batchSize: 4,
  })
})

test('what cannot be given together is refused', () => {
  expect(() => trainerOf({ steps: 5, epochs: 1 })).toThrow(
    expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT' }),
  )
  expect(options.safeParse({ learningRate: -1 }).success).toBe(false)
})
