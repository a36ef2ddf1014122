import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { tfjsVersion, wheels, type Variant } from './native-tfjs/wheels.js'

/** Written last: a folder without it is not a whole staging. */
export const manifestName = 'staged.json'

/** Where `native-tfjs` stages: COLLIMATE_NATIVE_TFJS, or a folder of the user's cache, outside of any node_modules. */
export function stagingRoot(environment: NodeJS.ProcessEnv = process.env): string {
  const { COLLIMATE_NATIVE_TFJS: named, XDG_CACHE_HOME: cache } = environment
  return resolve(named || join(cache || join(homedir(), '.cache'), 'collimate', 'tfjs-node'))
}

/** The folder of one variant, named after everything that it is made of: other versions are other folders. */
export function stagingFolder(variant: Variant, root: string = stagingRoot()): string {
  const { project, version } = wheels[variant]
  return join(root, `${tfjsVersion}-${project}-${version}`)
}

/** The package `@tensorflow/tfjs-node` inside of a staging. */
export const packageIn = (folder: string): string => join(folder, 'node_modules', '@tensorflow', 'tfjs-node')

/**
 * The package `@tensorflow/tfjs-node` that `npm run native-tfjs` staged, with its binding, as a path for `require`;
 * undefined where there is none.
 */
export function nativeTfjsPackage(variant: Variant = 'cpu', root?: string): string | undefined {
  const folder = stagingFolder(variant, root)
  return existsSync(join(folder, manifestName)) ? packageIn(folder) : undefined
}
