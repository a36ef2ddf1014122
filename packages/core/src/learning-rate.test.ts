import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { learningRateAt, schedules } from './learning-rate.js'
import type { Schedule } from './learning-rate.js'

interface Table {
  schedule: string
  kwargs: Record<string, number>
  warmup_steps: number
  total_steps: number
  base_lr: number
  learning_rates: number[]
}
const file = new URL('../../../test/parity/optim/schedules.json', import.meta.url)
const { tables } = JSON.parse(readFileSync(file, 'utf8')) as { tables: Table[] }
const ours = (table: Table): Schedule | undefined => {
  const name = table.schedule.replace('constant_with_warmup', 'constant')
  if (Object.keys(table.kwargs).length > 0 || (table.schedule === 'constant' && table.warmup_steps > 0))
    return undefined
  return schedules.find((schedule) => schedule === name)
}

describe('parity with transformers (optim/schedules.json)', () => {
  test.each(tables.filter(ours))('$schedule, warm-up $warmup_steps', (table) => {
    const plan = {
      learningRate: table.base_lr,
      schedule: ours(table) as Schedule,
      warmupSteps: table.warmup_steps,
      totalSteps: table.total_steps,
    }
    // Past the end transformers' cosine rises again; no run goes there.
    table.learning_rates.slice(0, table.total_steps + 1).forEach((expected, step) => {
      expect(Math.abs(learningRateAt(plan, step) - expected)).toBeLessThanOrEqual(1e-10 * table.base_lr)
    })
  })
})

test('law: rates rise through the warm-up, never rise after it, and stay within [0, learningRate]', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...schedules),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(70),
      (schedule, totalSteps, warmupSteps) => {
        const plan = { learningRate: 3e-4, schedule, totalSteps, warmupSteps }
        const rates = Array.from({ length: totalSteps + 5 }, (_, step) => learningRateAt(plan, step))
        rates.forEach((rate, step) => {
          expect(rate).toBeGreaterThanOrEqual(0)
          expect(rate).toBeLessThanOrEqual(3e-4)
          if (step > 0 && step <= warmupSteps)
            expect(rate).toBeGreaterThanOrEqual(rates[step - 1] - (step >= totalSteps ? 1 : 0))
          if (step > warmupSteps) expect(rate).toBeLessThanOrEqual(rates[step - 1])
        })
        expect(rates[0]).toBe(warmupSteps > 0 ? 0 : 3e-4)
      },
    ),
  )
})
