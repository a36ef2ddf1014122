import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { errorLine } from '@collimate/core'
import { nativeCudaFailure } from './native-cuda/failure.js'
import { fetchLibraries } from './native-cuda/fetch.js'
import { place } from './native-cuda/place.js'
import { libraries, verify } from './native-cuda/verify.js'

/*
 * `npm run native-cuda -w @collimate/backend-onnx`: brings what onnxruntime-node needs for cuda on CUDA 13, and puts it
 * where it is looked for. The libraries stay in a folder outside of node_modules: after `npm ci` this only links them again.
 */
const usage = 'native-cuda [--into <folder>] [--python <path>]'

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { into: { type: 'string' }, python: { type: 'string' } } })
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw nativeCudaFailure(
      `onnxruntime-gpu has libraries for linux-x64, this is ${process.platform}-${process.arch}`,
      'device: webgpu works on macOS and Windows too',
    )
  }
  const packageFile = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }
  const beside = join(dirname(packageFile), 'bin/napi-v6/linux/x64')
  if (!existsSync(join(beside, 'libonnxruntime.so.1'))) {
    throw nativeCudaFailure(`${beside} has no libonnxruntime.so.1`, 'install onnxruntime-node first: npm ci')
  }
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const folder = join(resolve(values.into ?? join(cache, 'collimate', 'onnxruntime-cuda')), version)
  if ([...libraries, 'RECORD'].every((name) => existsSync(join(folder, name)))) await verify(folder)
  else {
    process.stdout.write(`fetching onnxruntime-gpu ${version} with pip (250 MB)\n`)
    await fetchLibraries(version, folder, values.python ?? 'python3')
  }
  await place(folder, beside)
  process.stdout.write(
    `${libraries.join(' and ')} of onnxruntime-gpu ${version}, sha256 verified, are in ${folder} and linked into ${beside}.\n` +
      'They need an NVIDIA driver for CUDA 13, and on LD_LIBRARY_PATH the libraries of CUDA 13 (libcublas.so.13, ' +
      'libcublasLt.so.13, libcudart.so.13, libcurand.so.10) and cuDNN 9 (libcudnn.so.9).\n',
  )
}

try {
  await main()
} catch (error) {
  process.stderr.write(`error ${errorLine(error)}\n${usage}\n`)
  process.exitCode = 1
}
