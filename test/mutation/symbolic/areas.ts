import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { areas } from '../areas.js'

/** The areas whose mathematics is written in calls of symbolic ops. */
export const symbolicAreas = ['objectives', 'graph'] as const
export type SymbolicArea = (typeof symbolicAreas)[number]

/** The files of an area, absolute. */
export function filesOf(root: string, area: SymbolicArea): string[] {
  return areas[area].mutate.flatMap((pattern) => {
    if (!pattern.endsWith('/*.ts')) return [join(root, pattern)]
    const folder = join(root, pattern.slice(0, -'/*.ts'.length))
    return readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(folder, name))
  })
}
