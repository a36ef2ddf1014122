import { input, program, reshape, square, sum } from '@collimate/graph'
import { expect, test } from 'vitest'
import { workingMemory } from './working-memory.js'

test('counts what is alive together, inputs left out', () => {
  const x = input('x', [100])
  const chain = square(square(square(x)))
  expect(workingMemory(program({ name: 'chain', outputs: { y: chain } }))).toBe(800)
  expect(workingMemory(program({ name: 'short', outputs: { y: sum(square(x)) } }))).toBe(404)
  const kept = square(x)
  const both = { kept, y: reshape(square(kept), [10, 10]) }
  expect(workingMemory(program({ name: 'kept', outputs: both }))).toBe(1200)
})
