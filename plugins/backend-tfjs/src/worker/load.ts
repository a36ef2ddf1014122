import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type * as Core from '@tensorflow/tfjs-core'
import type * as Wasm from '@tensorflow/tfjs-backend-wasm'
import { Failure } from '@collimate/backends/worker'
import type { Device } from '../devices.js'
import { nativeTfjsPackage } from '../native-location.js'
import { shimNodeUtil } from '../node-util-shim.js'

/** What is used of TensorFlow.js: its engine, which registers tensors and calls kernels. Nothing is differentiated here. */
export type Tfjs = Pick<typeof Core, 'engine' | 'env' | 'memory' | 'ready' | 'setBackend'>

const require = createRequire(import.meta.url)

/** Loads TensorFlow.js for a device and makes it the one that kernels are called on; throws what is missing. */
export async function loadTfjs(device: Device): Promise<Tfjs> {
  const tf = device === 'cpu' || device === 'wasm' ? require('@tensorflow/tfjs-core') : loadNative(device)
  return await loaders[device](tf as Tfjs)
}

const loaders: Readonly<Record<Device, (tf: Tfjs) => Promise<Tfjs>>> = {
  'node-gpu': native,
  node: native,
  async wasm(tf) {
    const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm') as typeof Wasm
    setWasmPaths(`${join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out')}/`)
    const ready = await use(tf, 'wasm')
    guardMemory(ready)
    return ready
  },
  cpu(tf) {
    require('@tensorflow/tfjs-backend-cpu')
    return use(tf, 'cpu')
  },
}

async function use(tf: Tfjs, backend: string): Promise<Tfjs> {
  // What it says on the terminal is not for people who use something else.
  tf.env().set('PROD', true)
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js does not start its ${backend} backend here`)
  await tf.ready()
  return tf
}

interface NativeBackend {
  readonly isUsingGpuDevice?: boolean
}

function native(tf: Tfjs): Promise<Tfjs> {
  return use(tf, 'tensorflow')
}

/** The package that the user has installed, or the one that `npm run native-tfjs` staged. */
function loadNative(device: 'node-gpu' | 'node'): Tfjs {
  const missing = device === 'node-gpu' ? missingDriver() : undefined
  if (missing !== undefined) throw new Error(missing)
  shimNodeUtil()
  const name = device === 'node' ? '@tensorflow/tfjs-node' : '@tensorflow/tfjs-node-gpu'
  const staged = nativeTfjsPackage(device === 'node' ? 'cpu' : 'cuda')
  const reasons: string[] = []
  for (const place of [name, ...(staged === undefined ? [] : [staged])]) {
    try {
      const tf = require(place) as Tfjs
      if (device === 'node' || (tf.engine().backend as NativeBackend).isUsingGpuDevice) return tf
      reasons.push(`${place} sees no GPU`)
    } catch (error) {
      reasons.push(isAbsent(error, place) ? `${place} is not installed` : `${place}: ${firstLine(error)}`)
    }
  }
  if (staged === undefined) reasons.push('native-tfjs has staged none')
  throw new Error(reasons.join('; '))
}

/** Where there is no driver the libraries of CUDA, 1 GB, need not be loaded to find that out. */
function missingDriver(): string | undefined {
  const files = ['/dev/nvidiactl', '/dev/dxg']
  if (process.platform !== 'linux' || files.some((file) => existsSync(file))) return undefined
  return `there is no driver of NVIDIA (${files[0]})`
}

const isAbsent = (error: unknown, name: string): boolean =>
  (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND' && String(error).includes(`'${name}'`)

export function firstLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line.trim()
}

interface WasmBackend {
  readonly wasm: { _malloc(bytes: number): number; _free(address: number): void }
}

/** WASM's allocator answers 0 where there is no memory, and TensorFlow.js would write there. */
function guardMemory(tf: Tfjs): void {
  const { wasm } = tf.engine().backend as unknown as WasmBackend
  // The first call puts the real function in the place of a stub, and would undo this.
  wasm._free(wasm._malloc(8))
  const allocate = wasm._malloc.bind(wasm)
  wasm._malloc = (bytes) => {
    // A number of bytes that does not fit 32 bits would be taken for a small one.
    const address = bytes < 2 ** 32 ? allocate(bytes) : 0
    if (address !== 0 || bytes === 0) return address
    throw new Failure(
      'COLLIMATE_OUT_OF_MEMORY',
      `WebAssembly has no memory for ${Math.ceil(bytes / 2 ** 20)} MiB more; it holds up to 4 GiB`,
      'release states that are no longer needed, or use a smaller model or batch',
    )
  }
}
