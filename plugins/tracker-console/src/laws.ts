import { lawsOfTracker, type LawSuite } from '@collimate/laws'
import plugin, { consoleTracker } from './index.js'
import type { Output } from './screen.js'

const { name, capabilities = {} } = plugin.definition

/** The laws of trackers, in a terminal and outside of one, on streams that keep nothing. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    suite('plain lines', { write: () => true }),
    suite('terminal', { write: () => true, isTTY: true, columns: 80 }),
  ]
}

function suite(where: string, stream: Output): LawSuite {
  let time = 0
  const streams = { out: stream, err: stream, now: () => (time += 1000) }
  return lawsOfTracker({
    name: `${name} (${where})`,
    create: () => consoleTracker({ interval: 0, quiet: false }, streams),
    claims: capabilities,
  })
}
