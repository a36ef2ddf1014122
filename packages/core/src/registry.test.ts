import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { definePlugin } from './define-plugin.js'
import { fakes } from './fakes/fakes.js'
import { importExport } from './load-plugin.js'
import { createRegistry, listInstalledPlugins } from './registry.js'
import { coreVersion } from './version.js'

const error = (code: string, message: string, hint = '') =>
  expect.objectContaining({
    code,
    message: expect.stringContaining(message) as string,
    ...(hint && { hint: expect.stringContaining(hint) as string }),
  }) as Error
const estimator = (changes: { name?: string; version?: string; engine?: string; brings?: [] } = {}) =>
  definePlugin({
    ...{ name: 'plain', version: '1.0.0', engine: `^${coreVersion}`, kind: 'estimator', description: 'for tests' },
    options: z.object({ gamma: z.number().min(0).max(1).default(1).describe('discount, default 1') }),
    create: () => ({ estimate: async ({ rewards }) => ({ advantages: rewards, returns: rewards }) }),
    ...changes,
  })

describe('registration', () => {
  test('takes in a plugin once, and what it brings', () => {
    const brought = estimator({ name: 'brought' })
    const { trainer } = fakes()
    const bringing = definePlugin({ ...trainer.definition, name: 'bringing', brings: [brought] })
    const registry = createRegistry([bringing, bringing])
    registry.register(bringing)
    expect(registry.list().map(({ definition }) => definition.name)).toEqual(['bringing', 'brought'])
    expect(registry.list('estimator')).toEqual([brought])
    expect(registry.get('estimator', 'brought')).toBe(brought)
    expect(registry.get('trainer', 'brought')).toBeUndefined()
  })

  test('refuses a plugin for another core, and two of one name', () => {
    expect(() => createRegistry([estimator({ engine: '^99.0.0' })])).toThrow(
      error('COLLIMATE_PLUGIN_ENGINE_MISMATCH', 'estimator "plain" 1.0.0 works with @collimate/core ^99.0.0'),
    )
    expect(() => createRegistry([estimator(), estimator({ version: '2.0.0' })])).toThrow(
      error('COLLIMATE_PLUGIN_DUPLICATE', '1.0.0 and 2.0.0'),
    )
    // A second copy of the same version: a plugin in TypeScript loads its own.
    expect(createRegistry([estimator(), estimator()]).list()).toHaveLength(1)
  })
})

describe('resolution', () => {
  let folder: string
  const local = (name: string, kind = 'estimator') => `
    import { definePlugin } from '@collimate/core'
    import { z } from 'zod'
    export default definePlugin({
      name: '${name}', version: '0.1.0', engine: '^0.1.0', kind: '${kind}', description: 'for tests',
      options: z.object({ gamma: z.number().default(0.5) }), create: () => ({}),
    })`

  // Written by hand: packages are loaded by Node itself, which does not read core's TypeScript sources.
  const packaged = (name: string, kind = 'estimator') => `
    import { z } from 'zod'
    const options = z.object({ gamma: z.number().default(0.5) })
    const about = { name: '${name}', version: '0.1.0', engine: '^0.1.0', kind: '${kind}', description: 'for tests' }
    export default Object.assign(() => {}, { definition: { ...about, options, create: () => ({}) } })`

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'collimate-registry-'))
    const modules = join(folder, 'node_modules')
    mkdirSync(join(modules, '@collimate'), { recursive: true })
    const core = dirname(dirname(fileURLToPath(import.meta.url)))
    symlinkSync(core, join(modules, '@collimate/core'))
    symlinkSync(join(dirname(dirname(core)), 'node_modules/zod'), join(modules, 'zod'))
    const put = (path: string, content: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    put('mine.mjs', local('mine'))
    put('typed.ts', `const half: number = 0.5\n${local('typed').replace('0.5', 'half')}`)
    put('broken.mjs', 'export default (')
    put('lonely.mjs', `import 'collimate-nowhere'`)
    put('nothing.mjs', 'export const x = 1')
    const manifest = (name: string) =>
      JSON.stringify({ name, type: 'module', exports: { '.': { import: './main.js' } } })
    put(
      'node_modules/collimate-plugin-own/package.json',
      JSON.stringify({
        name: 'collimate-plugin-own',
        exports: { '.': { import: './main.mjs' }, './extra': { types: './extra.d.ts', default: './extra.mjs' } },
      }),
    )
    put('node_modules/collimate-plugin-own/extra.mjs', 'export const extra = 7')
    put('node_modules/collimate-plugin-own/main.mjs', packaged('own'))
    put('node_modules/@collimate/estimator-short/package.json', manifest('@collimate/estimator-short'))
    put('node_modules/@collimate/estimator-short/main.js', packaged('short'))
    put('node_modules/@team/collimate-plugin-scoped/package.json', manifest('@team/collimate-plugin-scoped'))
    put('node_modules/@team/collimate-plugin-scoped/main.js', packaged('scoped', 'tracker'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each([
    ['./mine.mjs', 'mine'],
    ['./typed.ts', 'typed'],
    ['collimate-plugin-own', 'own'],
    ['short', 'short'],
    ['@collimate/estimator-short', 'short'],
  ])('finds %s from the folder of the experiment', async (use, name) => {
    const resolved = await createRegistry().resolve('estimator', { use }, folder)
    expect(resolved.plugin.definition.name).toBe(name)
    expect(resolved).toMatchObject({ use, options: { gamma: 0.5 } })
  })

  test('a registered plugin comes before an installed one; a used one needs no name', async () => {
    const own = estimator({ name: 'short' })
    const registry = createRegistry([own])
    expect((await registry.resolve('estimator', 'short', folder)).plugin).toBe(own)
    const used = await createRegistry().resolve('estimator', own({ gamma: 0.25 }), folder)
    expect(used).toMatchObject({ use: 'short', plugin: own, options: { gamma: 0.25 } })
  })

  test.each([
    ['shrot', 'COLLIMATE_PLUGIN_UNKNOWN', 'no estimator is called "shrot"', 'did you mean "short"?'],
    ['wavelet', 'COLLIMATE_PLUGIN_UNKNOWN', '@collimate/estimator-wavelet', 'short'],
    ['./absent.ts', 'COLLIMATE_PLUGIN_UNKNOWN', 'absent.ts', 'relative to the experiment file'],
    ['./broken.mjs', 'COLLIMATE_PLUGIN_LOAD_FAILED', './broken.mjs', ''],
    ['./lonely.mjs', 'COLLIMATE_PLUGIN_DEPENDENCY_MISSING', 'collimate-nowhere', 'npm install collimate-nowhere'],
    ['./nothing.mjs', 'COLLIMATE_PLUGIN_INVALID', 'does not export a plugin', 'definePlugin'],
    ['@team/collimate-plugin-scoped', 'COLLIMATE_PLUGIN_KIND', 'of kind "tracker"', ''],
  ])('refuses %s (%s)', async (use, code, message, hint) => {
    await expect(createRegistry().resolve('estimator', use, folder)).rejects.toThrow(error(code, message, hint))
  })

  test('options are checked with the schema of the plugin', async () => {
    const resolve = (options: Record<string, unknown>) =>
      createRegistry([estimator()]).resolve('estimator', { use: 'plain', ...options }, folder)
    await expect(resolve({ gama: 1 })).rejects.toThrow(
      error('COLLIMATE_OPTION_UNKNOWN', 'estimator "plain": unknown option "gama"', 'did you mean "gamma"?'),
    )
    await expect(resolve({ gamma: 'high' })).rejects.toThrow(
      error('COLLIMATE_OPTION_INVALID', 'option "gamma" is "high"; ', 'gamma: discount, default 1'),
    )
    await expect(resolve({ use: '' })).rejects.toThrow(error('COLLIMATE_OPTION_MISSING', '"use"'))
  })

  test('imports what a package exports under another name', async () => {
    expect(await importExport('collimate-plugin-own', './extra', folder)).toMatchObject({ extra: 7 })
    expect(await importExport('collimate-plugin-own', './other', folder)).toBeUndefined()
    expect(await importExport('@collimate/estimator-short', './extra', folder)).toBeUndefined()
    expect(await importExport('collimate-plugin-none', './extra', folder)).toBeUndefined()
  })

  test('a file of a package may name that package, once it is built', async () => {
    const inner = join(folder, 'mine', 'example')
    mkdirSync(inner, { recursive: true })
    const about = { name: '@me/collimate-plugin-mine', exports: './dist/main.mjs' }
    writeFileSync(join(folder, 'mine/package.json'), JSON.stringify(about))
    const resolve = () => createRegistry().resolve('estimator', about.name, inner)
    const listed = async () => (await listInstalledPlugins(inner)).map((found) => found.package)
    await expect(resolve()).rejects.toThrow(error('COLLIMATE_PLUGIN_LOAD_FAILED', 'dist/main.mjs', 'build the package'))
    expect(await listed()).not.toContain(about.name)
    mkdirSync(join(folder, 'mine/dist'))
    writeFileSync(join(folder, 'mine/dist/main.mjs'), packaged('mine'))
    expect((await resolve()).plugin.definition.name).toBe('mine')
    expect(await listed()).toContain(about.name)
  })

  test('lists what is installed, without creating anything', async () => {
    const found = await listInstalledPlugins(folder)
    const names = found.map(({ package: name, plugin }) => `${name}: ${plugin?.definition.name}`)
    expect(names).toEqual(
      expect.arrayContaining([
        'collimate-plugin-own: own',
        '@collimate/estimator-short: short',
        '@team/collimate-plugin-scoped: scoped',
      ]),
    )
  })
})
