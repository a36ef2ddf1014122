import fc, { type Arbitrary } from 'fast-check'
import { completionCount, makeWorld, type World } from './world.js'

export interface WorldLimits {
  /** Most letters besides the end token; default 3. */
  readonly letters?: number
  /** Fewest completions; default 1 (a world without a choice). */
  readonly fewest?: number
  /** Most completions of a prompt; default 31. */
  readonly most?: number
  /** Most prompts; default 3. */
  readonly prompts?: number
}

/** The sizes within the limits, simplest first. */
function sizesWithin({ letters = 3, fewest = 1, most = 31 }: WorldLimits): { letters: number; maxLength: number }[] {
  const sizes: { letters: number; maxLength: number; count: number }[] = []
  for (let n = 0; n <= letters; n++)
    for (let maxLength = 1; maxLength <= 4; maxLength++) {
      const count = completionCount(n, maxLength)
      if (count >= fewest && count <= most && (n > 0 || maxLength === 1)) sizes.push({ letters: n, maxLength, count })
    }
  return sizes.sort((a, b) => a.count - b.count)
}

/** Numbers on a grid, so that a counterexample can be read; 0 is the simplest. */
const grid = (most: number, step: number): Arbitrary<number> =>
  fc.integer({ min: -Math.round(most / step), max: Math.round(most / step) }).map((k) => k * step)

/** Rewards: on a grid, all equal, or far apart. */
const reward = fc.oneof({ arbitrary: grid(5, 0.25), weight: 8 }, { arbitrary: grid(1e4, 2500), weight: 1 })

/** Logits of a reference: most completions alike, some next to impossible. */
const referenceLogit = fc.oneof({ arbitrary: grid(3, 0.5), weight: 4 }, { arbitrary: fc.constant(-40), weight: 1 })

/** [X][Y] numbers, in one row of ten all equal. */
export function tables(
  prompts: number,
  completions: number,
  value: Arbitrary<number>,
): Arbitrary<readonly (readonly number[])[]> {
  const row = fc.oneof(
    { arbitrary: fc.array(value, { minLength: completions, maxLength: completions }), weight: 9 },
    { arbitrary: value.map((same) => new Array<number>(completions).fill(same)), weight: 1 },
  )
  return fc.array(row, { minLength: prompts, maxLength: prompts })
}

/**
 * Random worlds: rewards, references with probabilities down to e^−40, β from 0.01 to 100; worlds with a single
 * completion and worlds of equal rewards among them. Shrinks to few completions, rewards 0, a uniform reference and β 1.
 */
export function worlds(limits: WorldLimits = {}): Arbitrary<World> {
  const { prompts = 3 } = limits
  return fc
    .record({
      size: fc.constantFrom(...sizesWithin(limits)),
      promptCount: fc.integer({ min: 1, max: prompts }),
      beta: fc.constantFrom(1, 0.1, 0.5, 2, 0.01, 100),
    })
    .chain(({ size, promptCount, beta }) => {
      const rows = size.letters === 0 ? 1 : promptCount
      const count = completionCount(size.letters, size.maxLength)
      return fc
        .record({ rewards: tables(rows, count, reward), referenceLogits: tables(rows, count, referenceLogit) })
        .map((numbers) => makeWorld({ ...size, beta, ...numbers }))
    })
}

/** A distribution for each prompt of a world, as logits; it may be far from the reference. */
export function distributionsOver(world: World): Arbitrary<readonly (readonly number[])[]> {
  return tables(world.prompts.length, world.completions.length, referenceLogit)
}

/** A world with another distribution over its completions. */
export function worldsWithPolicy(limits: WorldLimits = {}): Arbitrary<{ world: World; logits: World['rewards'] }> {
  return worlds(limits).chain((world) => distributionsOver(world).map((logits) => ({ world, logits })))
}
