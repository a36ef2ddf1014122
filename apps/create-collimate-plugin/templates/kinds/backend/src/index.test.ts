import { createBus } from '@collimate/core'
import { input, mul, program } from '@collimate/graph'
import { expect, test } from 'vitest'
import { createBackend } from './index.js'

test('counts the runs of each program and tells them on the bus', async () => {
  const bus = createBus()
  const told: unknown[] = []
  bus.on('backend.counted', ({ runs }) => told.push(runs))
  const backend = createBackend({ every: 2 }, bus)
  const executable = await backend.compile({
    program: program({ name: 'double', outputs: { y: mul(input('x', [2]), 2) } }),
  })
  for (const value of [1, 2, 3]) {
    const { y } = await backend.run({ executable, feeds: { x: Float64Array.of(value, 0) } })
    expect([...y]).toEqual([2 * value, 0])
  }
  await backend.close()
  expect(told).toEqual([{ double: 2 }, { double: 3 }])
})
