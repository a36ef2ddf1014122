import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBus } from '@collimate/core'
import { lawsOfOptions, lawsOfTracker, type LawSuite } from '@collimate/laws'
import plugin, { csvTracker, options } from './index.js'

/** The laws of this plugin: it hears a whole run, changes nothing in it, and leaves no listener behind. */
export default async function laws(): Promise<LawSuite[]> {
  const folder = mkdtempSync(join(tmpdir(), '__name__-'))
  return [
    // Every option changes what comes out, or its use is refused: for each, a value that shows it.
    lawsOfOptions({
      plugin,
      output: (given) => filesOfARun(options.parse(given)),
      alternatives: { file: [{ value: 'other.csv' }], metrics: [{ value: ['loss'] }, { value: [], refused: true }] },
    }),
    lawsOfTracker({
      name: '__name__',
      create: () => csvTracker({ file: join(folder, 'metrics.csv') }),
      claims: plugin.definition.capabilities,
      close: async () => rmSync(folder, { recursive: true, force: true }),
    }),
  ]
}

/** Names and contents of the files that a run of one step leaves. */
function filesOfARun({ file, ...rest }: { readonly file: string; readonly metrics?: readonly string[] }) {
  const folder = mkdtempSync(join(tmpdir(), '__name__-'))
  try {
    const bus = createBus()
    const stop = csvTracker({ file: join(folder, file), ...rest }).attach(bus)
    bus.emit('metrics.logged', { step: 1, totalSteps: 1, metrics: { loss: 2, grad_norm: 1 }, tokens: 8, seconds: 1 })
    stop()
    return readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])
  } finally {
    rmSync(folder, { recursive: true })
  }
}
