import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { nativeTfjsFailure } from './failure.js'
import { run } from './run.js'
import { verify } from './verify.js'
import type { Wheel } from './wheels.js'

/** What the binding is compiled against; the headers of the C interface include one another. */
const headers = [
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/ctstring',
  'tensorflow/include/tsl/platform/ctstring',
  'tensorflow/include/xla/tsl/c/',
]

/** Writes what of the wheel argv[1] begins with one of argv[3:] into the folder argv[2]. */
const unpack = `
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(tuple(sys.argv[3:]))])
`

/** What came out of a wheel: folders. */
export interface Unpacked {
  readonly libraries: string
  readonly include: string
}

/**
 * Brings libraries and headers out of the wheel into `work`, verified. The wheel comes through pip, from whatever index
 * pip is set up with.
 */
export async function fetchLibraries(wheel: Wheel, work: string, python: string): Promise<Unpacked> {
  const wheels = join(work, 'wheel')
  await mkdir(wheels, { recursive: true })
  const target = ['--python-version', '3.11', '--implementation', 'cp', '--platform', 'manylinux_2_17_x86_64']
  const what = ['--no-deps', '--only-binary=:all:', ...target, '--dest', wheels, `${wheel.project}==${wheel.version}`]
  const quiet = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-cache-dir']
  await run(python, [...quiet, ...what], {
    what: `pip download ${wheel.project}==${wheel.version}`,
    hint: 'pip takes it from the index that it is set up with (pip config list); it needs the network',
  })
  const file = (await readdir(wheels)).find((name) => name.endsWith('.whl'))
  if (!file) throw nativeTfjsFailure('pip brought no wheel')
  await verify(join(wheels, file), wheel.sha256)
  const wanted = [...Object.keys(wheel.libraries).map((name) => `tensorflow/${name}`), ...headers]
  await run(python, ['-c', unpack, join(wheels, file), work, ...wanted], {
    what: `unpacking ${file}`,
    hint: 'run this again',
  })
  await rm(wheels, { recursive: true })
  const libraries = join(work, 'tensorflow')
  await verifyLibraries(wheel, libraries)
  return { libraries, include: join(libraries, 'include') }
}

export async function verifyLibraries({ libraries }: Pick<Wheel, 'libraries'>, folder: string): Promise<void> {
  for (const [name, sha256] of Object.entries(libraries)) await verify(join(folder, name), sha256)
}
