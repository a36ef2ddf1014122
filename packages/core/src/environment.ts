import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import type { BackendCapabilities } from './contracts/backend.js'

/** Where a run was made: what environment.json holds. `folder` is what the paths of config.json are relative to. */
export function environment(
  folder: string,
  versions: Readonly<Record<string, string>>,
  backend: BackendCapabilities,
): Readonly<Record<string, unknown>> {
  return {
    folder,
    node: process.version,
    platform: `${process.platform} ${process.arch} ${release()}`,
    cpu: cpus()[0]?.model.trim(),
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    versions,
    backend,
    gitCommit: gitCommit(folder),
  }
}

/** The commit that is checked out around the experiment; undefined outside git. */
function gitCommit(folder: string): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}
