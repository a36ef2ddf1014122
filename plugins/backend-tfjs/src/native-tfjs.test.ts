import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { manifestName, nativeTfjsPackage, packageIn, stagingFolder, stagingRoot } from './native-location.js'
import { librariesIn } from './native-tfjs/compile-binding.js'
import { verifyLibraries } from './native-tfjs/fetch-libraries.js'
import { outsideOfWorkspaces } from './native-tfjs/fetch-packages.js'
import { checkMachine, checkPrograms, checkRoom } from './native-tfjs/requirements.js'
import { run } from './native-tfjs/run.js'
import { removeAbandoned, stage } from './native-tfjs/stage.js'
import { tryBinding } from './native-tfjs/try-binding.js'
import { verify } from './native-tfjs/verify.js'
import { wheels } from './native-tfjs/wheels.js'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'native-tfjs-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(root, { recursive: true })
})

const failed = (what: string) => ({ code: 'COLLIMATE_NATIVE_TFJS_FAILED', message: expect.stringContaining(what) })

describe('where a staging is', () => {
  test('a variable names it, else it is in the cache of the user', () => {
    expect(stagingRoot({ COLLIMATE_NATIVE_TFJS: root, XDG_CACHE_HOME: '/cache' })).toBe(root)
    expect(stagingRoot({ COLLIMATE_NATIVE_TFJS: '', XDG_CACHE_HOME: '/cache' })).toBe('/cache/collimate/tfjs-node')
    expect(stagingRoot({})).toMatch(/\.cache\/collimate\/tfjs-node$/)
  })

  test('variants have folders of their own, and only a whole one is found', async () => {
    expect(stagingFolder('cpu', root)).not.toBe(stagingFolder('cuda', root))
    await mkdir(packageIn(stagingFolder('cpu', root)), { recursive: true })
    expect(nativeTfjsPackage('cpu', root)).toBeUndefined()
    await writeFile(join(stagingFolder('cpu', root), manifestName), '{}')
    expect(nativeTfjsPackage('cpu', root)).toBe(packageIn(stagingFolder('cpu', root)))
    expect(nativeTfjsPackage('cuda', root)).toBeUndefined()
  })
})

describe('what is missing is told', () => {
  test.each([
    [{ platform: 'darwin', arch: 'arm64', glibc: undefined }, 'this is darwin-arm64'],
    [{ platform: 'linux', arch: 'arm64', glibc: '2.36' }, 'this is linux-arm64'],
    [{ platform: 'linux', arch: 'x64', glibc: undefined }, 'this is linux-x64 without glibc'],
  ])('another machine: %o', (machine, what) => {
    expect(() => checkMachine(machine)).toThrow(expect.objectContaining(failed(what)))
  })

  test('no compiler, no Python, a Python without pip', async () => {
    const compiler = checkPrograms('no-such-compiler', 'python3')
    await expect(compiler).rejects.toMatchObject({
      ...failed('no-such-compiler'),
      hint: expect.stringContaining('CXX'),
    })
    const python = checkPrograms(process.execPath, 'no-such-python')
    await expect(python).rejects.toMatchObject({
      ...failed('no-such-python'),
      hint: expect.stringContaining('--python'),
    })
    await expect(checkPrograms(process.execPath, process.execPath)).rejects.toMatchObject(failed('pip of'))
  })

  test('no room', async () => {
    await checkRoom(root, { megabytes: 0 })
    await expect(checkRoom(root, { megabytes: 1e9 })).rejects.toMatchObject(failed(`${root} has`))
  })

  test('a folder that cannot be made', async () => {
    await writeFile(join(root, 'file'), '')
    const tools = { compiler: 'g++', python: 'python3', say: () => undefined }
    const attempt = stage(wheels.cpu, stagingFolder('cpu', join(root, 'file', 'inside')), tools)
    await expect(attempt).rejects.toMatchObject(failed('cannot be written'))
  })

  test('a program that fails, with the end of what it said', async () => {
    const failing = run(process.execPath, ['-e', 'console.error("No space left on device"); process.exit(3)'], {
      what: 'the work',
      hint: 'none',
    })
    await expect(failing).rejects.toMatchObject({
      ...failed('the work failed: No space left'),
      hint: expect.stringContaining('COLLIMATE_NATIVE_TFJS'),
    })
  })
})

test('a library that is another, or is not there, is refused', async () => {
  const library = join(root, 'libtensorflow_cc.so.2')
  await expect(verify(library, '')).rejects.toMatchObject(failed(`${library} cannot be read`))
  await writeFile(library, 'contents')
  await verify(library, createHash('sha256').update('contents').digest('hex'))
  await expect(verifyLibraries(wheels.cpu, root)).rejects.toMatchObject(failed(`${library} has sha256`))
})

test('each package has the checksum of one release, and none names where it comes from', async () => {
  const lock = JSON.parse(await readFile(new URL('native-tfjs/packages.lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, { integrity?: string; resolved?: string; version?: string }>
  }
  const { '': own, ...packages } = lock.packages
  expect(own).toMatchObject({ dependencies: { '@tensorflow/tfjs-node': '4.22.0' } })
  expect(Object.keys(packages)).toContain('node_modules/@tensorflow/tfjs-node')
  for (const { integrity, resolved } of Object.values(packages)) {
    expect(integrity).toMatch(/^sha512-/)
    expect(resolved).toBeUndefined()
  }
})

test('npm in the staging follows the settings of the user, but not the workspace of `npm run -w`', () => {
  const environment = { npm_config_registry: 'a', NPM_CONFIG_WORKSPACE: 'b', npm_config_prefix: 'c', PATH: 'd' }
  expect(outsideOfWorkspaces(environment)).toEqual({ npm_config_registry: 'a', PATH: 'd' })
})

describe('a staging that does not end', () => {
  async function program(name: string, script: string): Promise<void> {
    await mkdir(join(root, 'bin'), { recursive: true })
    await writeFile(join(root, 'bin', name), `#!/bin/sh\n${script}\n`)
    await chmod(join(root, 'bin', name), 0o755)
    vi.stubEnv('PATH', [join(root, 'bin'), process.env['PATH']].join(delimiter))
  }

  test('leaves nothing, whichever step fails', async () => {
    const stagings = join(root, 'stagings')
    const attempt = () =>
      stage({ ...wheels.cpu, megabytes: 0 }, stagingFolder('cpu', stagings), {
        compiler: 'g++',
        python: 'python-of-the-test',
        say: () => undefined,
      })
    await program('npm', 'echo no network >&2; exit 1')
    await expect(attempt()).rejects.toMatchObject(failed('npm ci of @tensorflow/tfjs-node failed: no network'))
    await program('npm', 'exit 0')
    await program('python-of-the-test', 'echo no index >&2; exit 1')
    await expect(attempt()).rejects.toMatchObject(failed('failed: no index'))
    await program('python-of-the-test', 'exit 0')
    await expect(attempt()).rejects.toMatchObject(failed('pip brought no wheel'))
    await program('python-of-the-test', 'for a; do case $a in */wheel) echo x > $a/x.whl;; esac; done')
    await expect(attempt()).rejects.toMatchObject(failed('x.whl has sha256'))
    expect(await readdir(stagings)).toEqual([])
    expect(nativeTfjsPackage('cpu', stagings)).toBeUndefined()
  })

  test('is removed where its process was killed, and left where it still runs', async () => {
    const killed = await run(process.execPath, ['-p', 'process.pid'], { what: 'node', hint: '' })
    const [gone, alive] = [`.staging-${killed.trim()}-a`, `.staging-${process.pid}-b`]
    for (const name of [gone, alive, 'other']) await mkdir(join(root, name))
    await removeAbandoned(root)
    expect((await readdir(root)).sort()).toEqual([alive, 'other'])
  })
})

const staged = nativeTfjsPackage()
test.skipIf(staged === undefined)(
  `what is staged computes${staged === undefined ? ': nothing is, npm run native-tfjs stages it' : ''}`,
  async () => {
    await verifyLibraries(wheels.cpu, librariesIn(staged as string))
    expect(await tryBinding(staged as string)).toEqual({ tensorflow: wheels.cpu.version, gpu: false })
  },
)
