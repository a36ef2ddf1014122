import { test } from 'vitest'
import { testLaws } from '../declare.js'
import { makeWorld } from '../world/world.js'
import { tabularPolicy } from '../world/tabular-policy.js'
import { lawsOfPolicy } from './laws-of-policy.js'

/** A world with all prompts of one letter more than another, and a reference that is far from uniform. */
const world = makeWorld({
  letters: 2,
  maxLength: 3,
  beta: 1,
  rewards: [0, 1, 2].map((x) => Array.from({ length: 15 }, (_, y) => (x + y) % 4)),
  referenceLogits: [0, 1, 2].map((x) => Array.from({ length: 15 }, (_, y) => 2 * Math.sin(3 * y + x))),
})

testLaws(
  lawsOfPolicy({ name: 'tabular', create: async (objective) => tabularPolicy(world, { objective }), tolerance: 1e-9 }),
  { test },
)

/** A reward model and critic of the same world, far from constant. */
const scores = world.prompts.map((_, x) => world.completions.map((__, y) => Math.sin(5 * y + 2 * x)))

testLaws(
  lawsOfPolicy({
    name: 'tabular scores',
    create: async (objective) => tabularPolicy(world, { objective, head: 'score', start: scores }),
    tolerance: 1e-9,
    outputs: ['values', 'scores'],
  }),
  { test },
)
