import { copyFile, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Unpacked } from './fetch-libraries.js'
import { run } from './run.js'
import type { Wheel } from './wheels.js'

/** The newest Node-API for which `@tensorflow/tfjs-node` 4.22.0 looks for a binding. */
const napi = 8

/** Where the package looks for its binding. */
export const bindingIn = (packageFolder: string): string =>
  join(packageFolder, 'lib', `napi-v${napi}`, 'tfjs_binding.node')

export const librariesIn = (packageFolder: string): string => join(packageFolder, 'deps', 'lib')

/**
 * Compiles the binding from the sources in the package and moves the libraries to where it finds them: beside it, by a
 * relative path, so that the folder as a whole can be moved.
 */
export async function compileBinding(
  packageFolder: string,
  headers: string,
  { libraries, include }: Unpacked,
  wheel: Wheel,
  compiler: string,
): Promise<void> {
  const target = librariesIn(packageFolder)
  await mkdir(target, { recursive: true })
  const names = Object.keys(wheel.libraries)
  for (const name of names) await move(join(libraries, name), join(target, name))
  const binding = bindingIn(packageFolder)
  await mkdir(join(binding, '..'), { recursive: true })
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(packageFolder, 'binding', name))
  const options = ['-O2', '-std=c++17', '-fPIC', '-shared', `-DNAPI_VERSION=${napi}`, '-I', headers, '-I', include]
  const linked = ['-L', target, ...names.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN/../../deps/lib']
  await run(compiler, [...options, ...sources, ...linked, '-o', binding], {
    what: 'compiling the binding',
    hint: 'g++ 9 or later is needed; name one: CXX=<path>',
  })
}

const move = (from: string, to: string): Promise<void> => rename(from, to).catch(() => copyFile(from, to))
