import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { manifestName, packageIn } from '../native-location.js'
import { compileBinding } from './compile-binding.js'
import { fetchLibraries } from './fetch-libraries.js'
import { fetchPackages } from './fetch-packages.js'
import { nativeTfjsFailure } from './failure.js'
import { checkRoom } from './requirements.js'
import { roomHint } from './run.js'
import { tryBinding, type Trial } from './try-binding.js'
import { tfjsVersion, type Wheel } from './wheels.js'

export interface Tools {
  readonly compiler: string
  readonly python: string
  /** Told what is being done. */
  readonly say: (line: string) => void
}

const workPrefix = '.staging-'

/**
 * Stages the package with its binding as `folder`: everything is made and tried in a folder beside it, which takes its
 * name at the end. What is called `folder` is therefore whole.
 */
export async function stage(wheel: Wheel, folder: string, { compiler, python, say }: Tools): Promise<Trial> {
  const root = dirname(folder)
  await mkdir(root, { recursive: true }).catch((error: Error) => {
    throw nativeTfjsFailure(`${root} cannot be written: ${error.message}`, roomHint)
  })
  await removeAbandoned(root)
  await checkRoom(root, wheel)
  const work = await mkdtemp(join(root, `${workPrefix}${process.pid}-`))
  try {
    say(`@tensorflow/tfjs-node ${tfjsVersion} with npm (60 MB)`)
    await fetchPackages(work)
    say(`${wheel.project} ${wheel.version} with pip (${wheel.megabytes} MB)`)
    const parts = join(work, 'parts')
    const unpacked = await fetchLibraries(wheel, parts, python)
    say(`the binding with ${compiler}`)
    const headers = join(work, 'node_modules', 'node-api-headers', 'include')
    await compileBinding(packageIn(work), headers, unpacked, wheel, compiler)
    await rm(parts, { recursive: true })
    const trial = await tryBinding(packageIn(work))
    const made = { package: `@tensorflow/tfjs-node ${tfjsVersion}`, wheel: `${wheel.project} ${wheel.version}` }
    await writeFile(join(work, manifestName), JSON.stringify({ ...made, libraries: wheel.libraries }, null, 2))
    await rm(folder, { recursive: true, force: true })
    await rename(work, folder)
    return trial
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Removes the work of runs that were killed: of those whose process is gone. */
export async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(workPrefix)) continue
    const pid = Number(basename(name).slice(workPrefix.length).split('-')[0])
    if (!runs(pid)) await rm(join(root, name), { recursive: true, force: true })
  }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
