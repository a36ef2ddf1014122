import type { Example, Generation, Policy } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import fc, { type Arbitrary } from 'fast-check'
import { exampleOf } from './distribution-of.js'
import { endToken, type Table, type World } from './world.js'

/**
 * Sampling by enumeration: a policy whose probabilities are whole numbers over a common sum gives every group of completions
 * exactly as often as it is likely, so that a mean over the samples of one step is an expectation, with no noise.
 */
export interface EveryGroup {
  /** [X][Y] how often each completion comes; each row has the same sum. */
  readonly counts: Table
  /** Completions of a group. */
  readonly groupSize: number
}

/** Counts of completions, each from 1, of the sum `total` for every prompt. */
export function countsOf({ prompts, completions }: World, total: number): Arbitrary<Table> {
  const spare = total - completions.length
  const row = fc
    .array(fc.nat(spare), { minLength: completions.length - 1, maxLength: completions.length - 1 })
    .map((cuts) => {
      const borders = [0, ...cuts.sort((a, b) => a - b), spare]
      return completions.map((_, y) => 1 + borders[y + 1] - borders[y])
    })
  return fc.array(row, { minLength: prompts.length, maxLength: prompts.length })
}

/** Log-probabilities of the completions that are in proportion to their counts. */
export const proportional = (counts: Table): Table =>
  counts.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    return row.map((count) => Math.log(count / total))
  })

/** The completions of each group, by number, every group as often as its members are likely to be drawn together. */
function groupsOf(counts: readonly number[], groupSize: number): number[][] {
  const single = counts.flatMap((count, y) => new Array<number>(count).fill(y))
  let groups: number[][] = [[]]
  for (let k = 0; k < groupSize; k++) groups = groups.flatMap((group) => single.map((y) => [...group, y]))
  return groups
}

/** The prompts of a step in which every group comes as often as it is likely. */
export function promptsOfEveryGroup({ prompts }: World, { counts, groupSize }: EveryGroup): Example[] {
  const rows = prompts.flatMap((prompt, x) => groupsOf(counts[x], groupSize).map(() => prompt))
  return rows.map((prompt, index) => exampleOf(index, prompt, []))
}

/**
 * The policy, which instead of drawing gives the groups of each prompt in turn, with its own log-probs in float64. The
 * contract has them in float32: here nothing may be lost.
 */
export function givingEveryGroup(policy: Policy, world: World, { counts, groupSize }: EveryGroup): Policy {
  const groups = counts.map((row) => groupsOf(row, groupSize))
  const place = (prompt: Int32Array): number => world.prompts.findIndex((one) => one.join() === prompt.join())
  const given = world.prompts.map(() => 0)
  return {
    ...policy,
    async generate({ prompts, sampling: { temperature } }): Promise<Generation> {
      const logProbs = await Promise.all(world.prompts.map((_, x) => tokenLogProbs(policy, world, x, temperature)))
      const drawn = prompts.map((prompt) => {
        const x = place(prompt)
        const number = given[x]++
        const group = groups[x][Math.floor(number / groupSize) % groups[x].length]
        return { x, y: group[number % groupSize] }
      })
      const { version } = await policy.describe()
      return {
        completions: drawn.map(({ y }) => Int32Array.from(world.completions[y])),
        logProbs: drawn.map(({ x, y }) => logProbs[x][y] as unknown as Float32Array),
        endedBy: drawn.map(({ y }) => (world.completions[y].at(-1) === endToken ? 'stop' : 'length')),
        ...{ version, temperature },
      }
    },
  }
}

/** Log-probs of the tokens of every completion of a prompt. */
async function tokenLogProbs(policy: Policy, world: World, x: number, temperature: number): Promise<Float64Array[]> {
  const batch = forestBatch([exampleOf(x, world.prompts[x], world.completions)])
  const found = await policy.logProbs({ batch, temperature })
  let at = 0
  return world.completions.map(({ length }) => Float64Array.from(found.slice(at, (at += length))))
}
