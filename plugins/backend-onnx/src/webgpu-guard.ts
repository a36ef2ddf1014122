import { CollimateError } from '@collimate/core'
import type { Device } from './providers.js'

let taken = false

/**
 * Two threads that run WebGPU at once end the process (onnxruntime issues 32561, 31627): one backend at a time may have
 * it. Returns what gives the device back. Other devices are free.
 */
export function takeDevice(device: Device): () => void {
  if (device !== 'webgpu') return () => undefined
  if (taken) {
    throw new CollimateError('COLLIMATE_PROVIDER_BUSY', 'another backend of this process uses webgpu', {
      hint: 'close it first, or share it: ONNX Runtime allows one WebGPU thread in a process',
    })
  }
  taken = true
  return () => void (taken = false)
}
