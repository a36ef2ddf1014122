import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lawsOfTracker, type LawSuite } from '@collimate/laws'
import { csvTracker } from './index.js'

/** The laws of this plugin: it hears a whole run, changes nothing in it, and leaves no listener behind. */
export default async function laws(): Promise<LawSuite[]> {
  const folder = mkdtempSync(join(tmpdir(), '__name__-'))
  const suite = lawsOfTracker({
    name: '__name__',
    create: async () => csvTracker({ file: join(folder, 'metrics.csv') }),
  })
  return [{ ...suite, close: () => suite.close().finally(() => rmSync(folder, { recursive: true, force: true })) }]
}
