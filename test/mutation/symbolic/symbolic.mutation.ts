import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesOf, symbolicAreas, type SymbolicArea } from './areas.js'
import { activate } from './exchange.js'
import { instrument } from './instrument.js'
import { killers } from './killers.js'

// Not a test of its own: `npm run mutation -- --symbolic` runs it, and the table is what it is for.
const root = join(import.meta.dirname, '../../..')

test.each(symbolicAreas)('%s', async (area: SymbolicArea) => {
  const sites = filesOf(root, area).flatMap((file) => instrument(file, readFileSync(file, 'utf8'), '').sites)
  const only = process.env['COLLIMATE_MUTATION_SITES']
  const killed: Record<string, string> = {}
  const survived: string[] = []
  for (const site of sites.filter((one) => only === undefined || one.includes(only))) {
    activate(site)
    const killer = await firstOf(killers[area]())
    activate(undefined)
    if (killer === undefined) survived.push(site)
    else killed[site] = killer
    console.log(`${site.padEnd(44)} ${killer ?? 'SURVIVED'}`)
  }
  const count = Object.keys(killed).length
  console.log(`${area}: ${count} of ${count + survived.length} killed, survivors:\n${survived.join('\n')}`)
  mkdirSync(join(root, 'out/mutation'), { recursive: true })
  writeFileSync(join(root, `out/mutation/symbolic-${area}.json`), JSON.stringify({ killed, survived }, null, 1))
  if (only === undefined) expect(count / sites.length, 'share of killed').toBeGreaterThanOrEqual(0.9)
})

async function firstOf(sentences: AsyncGenerator<string>): Promise<string | undefined> {
  try {
    const { value } = await sentences.next()
    return value as string | undefined
  } catch (error) {
    return `throws ${(error as Error).message.slice(0, 60)}`
  }
}
