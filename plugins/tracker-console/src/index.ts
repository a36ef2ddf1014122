import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { consoleTracker } from './tracker.js'

export { consoleTracker } from './tracker.js'
export type { ConsoleOptions, Streams } from './tracker.js'

/** Progress, evaluations and samples on the terminal: what is about the run on stderr, its results on stdout. */
const console = definePlugin({
  name: 'console',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'tracker',
  description: 'One progress line in the terminal, plain lines elsewhere.',
  options: z.object({
    interval: z.number().nonnegative().default(10).describe('seconds between plain progress lines; default 10'),
    quiet: z.boolean().default(false).describe('show warnings only; default false'),
  }),
  create: (options) =>
    consoleTracker(options, { out: process.stdout, err: process.stderr, now: () => performance.now() }),
})

export default console
