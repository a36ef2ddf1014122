import { statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, totalmem } from 'node:os'
import type { Plugin } from '@collimate/core'

/** One thing that was looked at on this machine. */
export interface Check {
  readonly name: string
  /** `missing` stops something essential; `absent` is optional. */
  readonly state: 'ok' | 'missing' | 'absent'
  readonly detail: string
  /** What to do where it is not ok. */
  readonly hint?: string
}

const gibibyte = 2 ** 30
const require = createRequire(import.meta.url)

export function nodeCheck(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const enough = major > 20 || (major === 20 && minor >= 19)
  return enough
    ? { name: 'node', state: 'ok', detail: `${version} on ${process.platform} ${process.arch}` }
    : {
        name: 'node',
        state: 'missing',
        detail: `${version}; 20.19 or later is needed`,
        hint: 'install a newer Node from https://nodejs.org',
      }
}

export function processorCheck(): Check {
  const cores = availableParallelism()
  return {
    name: 'processor',
    state: 'ok',
    detail: `${cores} ${cores === 1 ? 'core' : 'cores'}, ${cpus()[0]?.model.trim() ?? 'unknown'}`,
  }
}

export function memoryCheck(): Check {
  const free = process.availableMemory() / gibibyte
  const detail = `${free.toFixed(1)} GiB available of ${(totalmem() / gibibyte).toFixed(1)} GiB`
  return free >= 1
    ? { name: 'memory', state: 'ok', detail }
    : {
        name: 'memory',
        state: 'missing',
        detail,
        hint: 'training needs about 16 bytes per parameter and the activations: close something or take a smaller model',
      }
}

export async function diskCheck(folder: string = process.cwd()): Promise<Check> {
  const { bavail, bsize } = await statfs(folder)
  const free = (bavail * bsize) / gibibyte
  const detail = `${free.toFixed(1)} GiB free in ${folder}`
  return free >= 1
    ? { name: 'disk', state: 'ok', detail }
    : { name: 'disk', state: 'missing', detail, hint: 'free some space or write to another --output' }
}

/** Whether an npm package is installed, with its version. */
export function packageCheck(name: string, install: string, essential: boolean): Check {
  const version = installedVersion(name)
  if (version !== undefined) return { name, state: 'ok', detail: version }
  return { name, state: essential ? 'missing' : 'absent', detail: 'not installed', hint: install }
}

/** The packages that plugins load lazily. */
export function optionalPackageChecks(plugins: readonly Plugin[]): Check[] {
  const packages = plugins.flatMap(({ definition }) => Object.entries(definition.optionalPackages ?? {}))
  return [...new Map(packages)].map(([name, install]) => packageCheck(name, install, false))
}

function installedVersion(name: string): string | undefined {
  try {
    return (require(`${name}/package.json`) as { version: string }).version
  } catch (error) {
    // A package that hides its package.json is installed all the same.
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? 'installed' : undefined
  }
}
