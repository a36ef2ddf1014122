import { afterAll, describe, expect, test } from 'vitest'
import { killers } from './killers.js'
import type { MutantGroup } from './mutant.js'

// The same cases each time: whether a mutant dies must not be a matter of luck.
const cases = { runs: 60, seed: 1 }

/** Laws that a mutant is shown to: as many as a row of the table has room for. */
const enough = 3

/** Tests that each right implementation survives its laws and that each mutant is killed; prints the table of a group. */
export function killTable(groups: readonly MutantGroup[]): void {
  for (const { subject, original, mutants } of groups)
    describe(subject, () => {
      const rows: string[] = []
      afterAll(() => console.log([`\n${subject}: mutant, defect, laws that killed it`, ...rows].join('\n')))

      test('survives the laws itself', async () => {
        expect(await killers(original(), cases)).toEqual([])
      })

      test.each(mutants)('$id is killed: $what', async ({ id, defect, suite }) => {
        const laws = (await killers(suite(), { ...cases, enough })).map(({ law }) => law)
        rows.push(`${id.padEnd(40)} ${defect.padEnd(16)} ${laws.join(', ') || 'SURVIVED'}`)
        expect(laws.length, 'no law notices it: write one').toBeGreaterThan(0)
      })
    })
}
