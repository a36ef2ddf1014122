import { statfs } from 'node:fs/promises'
import { nativeTfjsFailure } from './failure.js'
import { roomHint, run } from './run.js'
import type { Wheel } from './wheels.js'

/** What the machine is, as far as it matters here. */
export interface Machine {
  readonly platform: string
  readonly arch: string
  /** Undefined where the C library is another, as in Alpine. */
  readonly glibc: string | undefined
}

export function thisMachine(): Machine {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return { platform: process.platform, arch: process.arch, glibc: header.glibcVersionRuntime }
}

export function checkMachine({ platform, arch, glibc }: Machine): void {
  if (platform === 'linux' && arch === 'x64' && glibc !== undefined) return
  const found = `${platform}-${arch}${platform === 'linux' && glibc === undefined ? ' without glibc' : ''}`
  throw nativeTfjsFailure(
    `the wheels of TensorFlow have C libraries for linux-x64 with glibc, this is ${found}`,
    'device: wasm works everywhere; npm install @tensorflow/tfjs-node brings the binding where it can be downloaded',
  )
}

/** Each of them is tried, so that what is missing is told before anything is fetched. */
export async function checkPrograms(compiler: string, python: string): Promise<void> {
  const compile = { what: compiler, hint: 'install g++ (Debian: apt-get install g++), or name one: CXX=<path>' }
  await run(compiler, ['--version'], compile)
  const pip = { what: `pip of ${python}`, hint: 'give a Python 3 with pip: --python <path>' }
  await run(python, ['-m', 'pip', '--version'], pip)
  await run('npm', ['--version'], { what: 'npm', hint: 'npm comes with Node' })
}

/** A wheel, the libraries out of it, and the packages: a wheel unpacks to less than three times its size. */
export const megabytesNeeded = ({ megabytes }: Pick<Wheel, 'megabytes'>): number => 4 * megabytes + 400

export async function checkRoom(folder: string, wheel: Pick<Wheel, 'megabytes'>): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const [free, needed] = [Math.floor((bavail * bsize) / 1e6), megabytesNeeded(wheel)]
  if (free >= needed) return
  throw nativeTfjsFailure(`${folder} has ${free} MB left; ${needed} MB are needed`, roomHint)
}
