import { definePlugin, type CollimateError } from '@collimate/core'
import { z } from 'zod'
import { openBackend } from './backend.js'
import { devices, type Device } from './devices.js'
import { opSupport } from './op-support.js'

export { devices, type Device } from './devices.js'
export { nativeTfjsPackage } from './native-location.js'

const options = z.strictObject({
  device: z
    .enum(['auto', ...devices])
    .default('auto')
    .describe(
      'Where to compute: node-gpu, node (native TensorFlow), wasm, cpu (plain JavaScript), or auto, the first that works. Default auto.',
    ),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .optional()
    .describe(
      'Threads of one run of node, one setting per process; wasm and cpu have one. Default: what TensorFlow chooses.',
    ),
})

/** Runs tensor programs on TensorFlow.js in a worker thread. */
export const tfjs = definePlugin({
  name: 'tfjs',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'backend',
  description: 'TensorFlow.js: WebAssembly, plain JavaScript, and native TensorFlow where it is installed',
  options,
  capabilities: { precision: 'float32', devices },
  opSupport,
  optionalPackages: {
    '@tensorflow/tfjs-node': 'npm install @tensorflow/tfjs-node, or npm run native-tfjs -w @collimate/backend-tfjs',
  },
  create: async ({ device, threads }, context) => {
    const { backend, refused, ...opened } = await openBackend(device === 'auto' ? devices : [device], threads)
    if (refused.length > 0) {
      const reasons = refused.map(({ failure }) => failure.message)
      context.bus?.emit('warning.raised', {
        code: 'COLLIMATE_PROVIDER_UNAVAILABLE',
        message: `tfjs computes on ${opened.device}; ${reasons.join('; ')}`,
      })
    }
    return backend
  },
})

export default tfjs

/** Whether a device works on this machine, found out by trying; `error` says what is missing. */
export async function probeDevice(device: Device): Promise<{ device: Device; works: boolean; error?: CollimateError }> {
  try {
    const { backend } = await openBackend([device])
    await backend.close()
    return { device, works: true }
  } catch (error) {
    return { device, works: false, error: error as CollimateError }
  }
}
