/**
 * Mutation testing of the mathematics with Stryker: `npm run mutation [-- --only graph,objectives] [--workers 2]`. Without
 * `--only` the small areas alone; `--only all` takes every one. The report lies in out/mutation.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { areaNames, areas, type AreaName } from './areas.js'

const small: readonly AreaName[] = ['objectives', 'formulas', 'statistics']
const { values } = parseArgs({
  options: { only: { type: 'string' }, workers: { type: 'string', default: '2' }, mutate: { type: 'string' } },
})
const chosen = values.only === 'all' ? areaNames : (values.only?.split(',') ?? small)
const unknown = chosen.find((name) => !(areaNames as string[]).includes(name))
if (unknown !== undefined) {
  console.error(`no area "${unknown}"; there are ${areaNames.join(', ')} and all`)
  process.exit(2)
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const failed = (chosen as AreaName[]).filter((name) => {
  console.log(`mutating ${name}`)
  const { status } = spawnSync(
    'npx',
    [
      'stryker',
      'run',
      'stryker.config.js',
      '--concurrency',
      values.workers,
      '--mutate',
      values.mutate ?? areas[name].mutate.join(','),
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, COLLIMATE_MUTATION_AREA: name, COLLIMATE_MUTATION_TESTS: areas[name].tests.join(',') },
    },
  )
  return status !== 0
})
if (failed.length > 0) console.error(`below the threshold: ${failed.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0
