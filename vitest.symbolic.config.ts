import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { filesOf, symbolicAreas } from './test/mutation/symbolic/areas.js'
import { instrument } from './test/mutation/symbolic/instrument.js'
import base from './vitest.mutation.config.js'

// Calls of symbolic ops can be exchanged while the tests run: see test/mutation/README.md.
const root = import.meta.dirname
const exchange = join(root, 'test/mutation/symbolic/exchange.ts')
const files = new Set(symbolicAreas.flatMap((area) => filesOf(root, area)))

export default defineConfig({
  resolve: base.resolve,
  plugins: [
    {
      name: 'exchange-symbolic-ops',
      enforce: 'pre',
      transform: (code, id) => (files.has(id) ? { code: instrument(id, code, exchange).code, map: null } : undefined),
    },
  ],
  test: {
    include: ['test/mutation/symbolic/*.mutation.ts'],
    testTimeout: 2 ** 31 - 1,
    disableConsoleIntercept: true,
  },
})
