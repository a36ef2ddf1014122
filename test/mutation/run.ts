/**
 * Mutation testing of the mathematics with Stryker: `npm run mutation [-- --only graph,objectives] [--workers 2]`. Without
 * `--only` the small areas alone; `--only all` takes every one. With `--symbolic` the calls of symbolic ops are exchanged
 * instead, one area at a time. The reports lie in out/mutation.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { areaNames, areas, type AreaName } from './areas.js'
import { symbolicAreas } from './symbolic/areas.js'

const small: readonly AreaName[] = ['objectives', 'estimators', 'formulas', 'statistics']
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    workers: { type: 'string', default: '2' },
    mutate: { type: 'string' },
    symbolic: { type: 'boolean' },
  },
})
const known: readonly string[] = values.symbolic ? symbolicAreas : areaNames
const chosen = values.only === 'all' ? known : (values.only?.split(',') ?? small.filter((name) => known.includes(name)))
const unknown = chosen.find((name) => !known.includes(name))
if (unknown !== undefined) {
  console.error(`no area "${unknown}"; there are ${known.join(', ')} and all`)
  process.exit(2)
}

const root = fileURLToPath(new URL('../..', import.meta.url))
if (values.symbolic) {
  const only = ['-t', `^(${chosen.join('|')})$`]
  process.exit(
    spawnSync('npx', ['vitest', 'run', '--config', 'vitest.symbolic.config.ts', ...only], {
      cwd: root,
      stdio: 'inherit',
    }).status ?? 1,
  )
}

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
