import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// For Stryker, which copies the repository and mutates the copy: packages are looked up in the copy, not through node_modules.
const root = import.meta.dirname
const packages = ['packages', 'plugins'].flatMap((layer) =>
  readdirSync(join(root, layer)).flatMap((folder) => {
    const manifest = join(root, layer, folder, 'package.json')
    if (!existsSync(manifest)) return []
    const { name, exports } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      name: string
      exports: Record<string, { '@collimate/source'?: string } | string>
    }
    return Object.entries(exports).flatMap(([path, target]) => {
      const source = typeof target === 'string' ? undefined : target['@collimate/source']
      if (source === undefined) return []
      return [{ find: join(name, path).replaceAll('\\', '/'), replacement: join(root, layer, folder, source) }]
    })
  }),
)

export default defineConfig({
  resolve: { alias: packages.map(({ find, replacement }) => ({ find: new RegExp(`^${find}$`), replacement })) },
  test: {
    include: (process.env.COLLIMATE_MUTATION_TESTS ?? 'packages/graph/src/**/*.test.ts').split(','),
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
