import { definePlugin, type CollimateError } from '@collimate/core'
import { z } from 'zod'
import { createBackend } from './backend.js'
import { opSupport } from './op-support.js'
import { devices, precisions, type Device, type Precision } from './providers.js'
import { physicalCores } from './threads.js'

export { devices, precisions, type Device, type Precision } from './providers.js'
export { findSoftwareVulkan, softwareVulkanNeeds, type SoftwareVulkan } from './software-vulkan.js'

const options = z.strictObject({
  device: z
    .enum(devices)
    .default('cpu')
    .describe('Where to compute: cpu, cuda (NVIDIA on Linux), webgpu, coreml (macOS) or dml (Windows). Default cpu.'),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .optional()
    .describe('Threads of one run on the CPU. Default: the physical cores that the process may use.'),
  arena: z
    .boolean()
    .default(true)
    .describe('Keep working memory between runs: faster, but memory stays at the peak of all programs. Default true.'),
  spinning: z
    .boolean()
    .default(false)
    .describe(
      'Let idle threads wait busily: a little faster where runs follow one another closely, at full CPU load. Default false.',
    ),
  precision: z
    .enum(precisions)
    .default('float32')
    .describe(
      'Of matrix products: float16 rounds their operands and results to 11 bits, faster on a GPU that has kernels for it (cuda, webgpu, dml); weights, optimiser state and everything else stay in float32. Default float32.',
    ),
  tf32: z
    .boolean()
    .default(false)
    .describe(
      'For cuda: matrix products with the 10-bit mantissa of TF32, faster, with errors of 1e-4 and more; one setting per process. Default false.',
    ),
})

/** Runs tensor programs on ONNX Runtime in a worker thread. */
export const onnx = definePlugin({
  name: 'onnx',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'backend',
  description: 'ONNX Runtime: CPU, and CUDA, WebGPU, CoreML or DirectML where the machine has them',
  options,
  capabilities: { precision: 'float32', devices },
  opSupport,
  create: ({ threads = physicalCores(), ...settings }) => createBackend({ threads, ...settings }),
})

export default onnx

/** Whether a device works on this machine, found out by trying; `error` says what is missing. */
export async function probeDevice(
  device: Device,
  precision: Precision = 'float32',
): Promise<{ device: Device; works: boolean; error?: CollimateError }> {
  try {
    const backend = await createBackend({ device, precision, threads: 1, arena: false, spinning: false })
    await backend.close()
    return { device, works: true }
  } catch (error) {
    return { device, works: false, error: error as CollimateError }
  }
}
