import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.js'

/** Beside the sources, which are published too; not named package-lock.json, which npm leaves out of a package. */
const lockFile = new URL('../../src/native-tfjs/packages.lock.json', import.meta.url)

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dependencies?: Readonly<Record<string, string>> }>>
}

/**
 * Installs `@tensorflow/tfjs-node` and what it needs into `folder`, each package in the version and with the sha512 that
 * the lockfile here has. No package's script runs: that of tfjs-node would delete `deps` and download.
 */
export async function fetchPackages(folder: string): Promise<void> {
  const text = await readFile(lockFile, 'utf8')
  const { dependencies } = (JSON.parse(text) as Lock).packages[''] ?? {}
  const manifest = { name: 'collimate-native-tfjs', version: '1.0.0', private: true, dependencies }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2))
  await writeFile(join(folder, 'package-lock.json'), text)
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    what: 'npm ci of @tensorflow/tfjs-node',
    hint: 'npm takes packages from the registry that it is set up with (npm config get registry); it needs the network',
    cwd: folder,
    environment: outsideOfWorkspaces(process.env),
  })
}

/** `npm run` hands its own options on: `-w` and `--prefix` would lead npm away from the folder. */
export function outsideOfWorkspaces(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own =
    /^npm_config_(workspaces?|include_workspace_root|prefix|local_prefix|dry_run|global|location|omit|include)$/i
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name)))
}
