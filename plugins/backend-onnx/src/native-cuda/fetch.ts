import { mkdir, mkdtemp, readdir, rename, rm, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { nativeCudaFailure } from './failure.js'
import { run } from './run.js'
import { libraries, verify } from './verify.js'

/** The wheel, the libraries out of it, and some room. */
const bytesNeeded = 700 * 2 ** 20

/** Writes the libraries and the RECORD of the wheel argv[1] into the folder argv[2]. */
const unpack = `
import shutil, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name in wheel.namelist():
    last = name.rsplit("/", 1)[-1]
    if last in sys.argv[3:] or name.endswith(".dist-info/RECORD"):
        with wheel.open(name) as source, open(sys.argv[2] + "/" + last, "wb") as target:
            shutil.copyfileobj(source, target)
`

/**
 * Brings the provider libraries out of the wheel onnxruntime-gpu of exactly `version` into `folder`, verified. The wheel
 * comes through pip, from whatever index pip is set up with.
 */
export async function fetchLibraries(version: string, folder: string, python: string): Promise<void> {
  const parent = dirname(folder)
  await mkdir(parent, { recursive: true })
  const { bavail, bsize } = await statfs(parent)
  if (bavail * bsize < bytesNeeded) {
    const megabytes = Math.floor((bavail * bsize) / 2 ** 20)
    throw nativeCudaFailure(
      `${parent} has ${megabytes} MiB left; ${bytesNeeded / 2 ** 20} MiB are needed`,
      'make room, or name another folder: --into <folder>',
    )
  }
  const work = await mkdtemp(join(parent, '.fetch-'))
  try {
    const target = ['--python-version', '3.12', '--implementation', 'cp', '--platform', 'manylinux_2_28_x86_64']
    const what = ['--no-deps', '--only-binary=:all:', ...target, '--dest', work, `onnxruntime-gpu==${version}`]
    const quiet = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-cache-dir']
    await run(python, [...quiet, ...what], 'pip download')
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'))
    if (!wheel) throw nativeCudaFailure('pip brought no wheel')
    await run(python, ['-c', unpack, join(work, wheel), work, ...libraries], 'unpacking the wheel')
    await verify(work)
    await rm(join(work, wheel))
    await rm(folder, { recursive: true, force: true })
    await rename(work, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
