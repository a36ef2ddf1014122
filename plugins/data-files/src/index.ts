import { definePlugin } from '@collimate/core'
import { filesSource } from './files-source.js'
import { filesOptions } from './options.js'

export { filesSource } from './files-source.js'
export { filesOptions } from './options.js'
export type { FilesOptions } from './options.js'
export { splitRows } from './split-rows.js'

export default definePlugin({
  name: 'files',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'data',
  description: 'Rows of JSON and JSONL files, in the dataset formats of TRL.',
  options: filesOptions,
  capabilities: { split: true, packing: true },
  create: (options, context) => filesSource(options, context),
})
