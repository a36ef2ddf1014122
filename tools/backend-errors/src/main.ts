import { writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { cases, measureApart, measureHere } from './measure.js'
import type { Measurement } from './measurement.js'
import { backendsPage } from './page.js'
import { providers } from './providers.js'

/*
 * `npm run docs:backends`: measures every provider, each in a process of its own, and writes the page to `--output`. With
 * `--provider` it is such a process, and prints one measurement.
 */
const { values } = parseArgs({ options: { provider: { type: 'string' }, output: { type: 'string' } } })
if (values.provider !== undefined) writeSync(1, `\n${JSON.stringify(await measureHere(values.provider))}\n`)
else {
  const measurements: Measurement[] = []
  for (const provider of providers) {
    process.stderr.write(`${provider.name} ...\n`)
    measurements.push(await measureApart(provider))
  }
  const page = backendsPage(measurements, cases)
  if (values.output === undefined) process.stdout.write(page)
  else await writeFile(values.output, page)
}
