import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { root, type Ran } from './cli.js'

const run = promisify(execFile)

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin?: Readonly<Record<string, string>>
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}
export const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

/** The folders of all packages that are published. */
export function publishedFolders(): string[] {
  return ['packages', 'plugins', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter((folder) => existsSync(join(folder, 'package.json')) && manifestOf(folder).private !== true)
}

/** Packs folders as `npm publish` would, and gives the path of each tarball by the name of its package. */
export async function pack(folders: readonly string[], target: string): Promise<Map<string, string>> {
  const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', target, ...folders], target)
  const packed = JSON.parse(stdout) as { name: string; filename: string }[]
  return new Map(packed.map(({ name, filename }) => [name, join(target, filename.replace('@', '').replace('/', '-'))]))
}

/** Unpacks a tarball to where `npm install` would put it. */
export async function install(tarball: string, name: string, modules: string): Promise<void> {
  const place = join(modules, name)
  const beside = mkdtempSync(join(dirname(modules), 'unpacked-'))
  await run('tar', ['-xzf', tarball, '-C', beside])
  rmSync(place, { recursive: true, force: true })
  mkdirSync(dirname(place), { recursive: true })
  renameSync(join(beside, 'package'), place)
  rmSync(beside, { recursive: true })
}

/**
 * A folder outside of the repository in whose node_modules all our packages are unpacked from their tarballs, and the
 * packages of others, which need no network that way, are links to those of the repository.
 */
export async function outside(): Promise<string> {
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], { cwd: root })
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'collimate-outside-')))
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  const foreign = new Set(['typescript', 'vitest', '@types/node'])
  for (const [name, tarball] of await pack(publishedFolders(), folder)) {
    await install(tarball, name, modules)
    rmSync(tarball)
    for (const needed of Object.keys(manifestOf(join(modules, name)).dependencies ?? {}))
      if (!needed.startsWith('@collimate/')) foreign.add(needed)
  }
  for (const name of foreign) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
  }
  linkPrograms(modules, ['@collimate/cli', 'create-collimate-plugin', 'typescript', 'vitest'])
  return folder
}

/** Links the programs of our packages and of the tools that a plugin needs into `.bin`, where `npm run` looks for them. */
function linkPrograms(modules: string, names: readonly string[]): void {
  mkdirSync(join(modules, '.bin'))
  for (const name of names)
    for (const [program, target] of Object.entries(manifestOf(join(modules, name)).bin ?? {}))
      symlinkSync(join(modules, name, target), join(modules, '.bin', program))
}

/** Runs a line of a shell as a user would. */
export const runLine = (line: string, cwd: string): Promise<Ran> => settled('sh', ['-c', line], cwd)

/** Runs a script as a user would: without anything of the test runner around it. */
export const runNode = (args: readonly string[], cwd: string): Promise<Ran> => settled(process.execPath, args, cwd)

const npm = (args: readonly string[], cwd: string): Promise<{ stdout: string }> =>
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', [...args], { cwd, env: plainEnvironment(), maxBuffer: 2 ** 26 })

/** What a shell of a user has: nothing of the test runner. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries({ ...process.env, NX_NO_CLOUD: 'true', NX_DAEMON: 'false', NX_TUI: 'false' }).filter(
    ([name]) => !/^(VITEST|NODE_ENV$|NODE_OPTIONS$|MODE$|TEST$|npm_)/.test(name),
  )
  return Object.fromEntries(kept)
}

function settled(command: string, args: readonly string[], cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, [...args], { cwd, env: plainEnvironment(), maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr }),
    )
  })
}
