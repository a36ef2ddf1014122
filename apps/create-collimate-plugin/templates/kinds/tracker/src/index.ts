import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { csvTracker } from './csv.js'

export { csvTracker } from './csv.js'
export type { CsvOptions } from './csv.js'

/** Unknown options are refused; each says its unit and default, which is what `collimate plugins __name__` prints. */
export const options = z.strictObject({
  file: z
    .string()
    .min(1)
    .default('metrics.csv')
    .describe('file to write, relative to the experiment; default metrics.csv'),
  metrics: z.array(z.string().min(1)).min(1).optional().describe('names of the metrics to write; default all'),
})

export default definePlugin({
  name: '__name__',
  version: '0.1.0',
  // The versions of @collimate/core that it works with.
  engine: '^0.1.0',
  kind: 'tracker',
  description: 'Writes logged metrics to a CSV file',
  options,
  // Paths in an experiment are relative to its file: `context.path` makes them absolute.
  create: ({ file, ...rest }, context) => csvTracker({ file: context.path(file), ...rest }),
})
