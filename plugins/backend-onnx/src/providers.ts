/** Where ONNX Runtime can compute. */
export const devices = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const
export type Device = (typeof devices)[number]

/** What matrix products compute with; everything else is float32. */
export const precisions = ['float32', 'float16'] as const
export type Precision = (typeof precisions)[number]

/** What float16 needs of a device, beside the device itself. */
export const float16Needs =
  'float16 needs kernels of the device for it (for webgpu a driver that offers shader-f16); precision: float32 needs none'

/** What each device needs; part of the error where it is missing (COLLIMATE_PROVIDER_UNAVAILABLE). */
export const deviceNeeds: Readonly<Record<Device, string>> = {
  cpu: 'onnxruntime-node has binaries for linux x64 and arm64, macOS arm64 and Windows x64 and arm64',
  cuda:
    'cuda needs linux x64, an NVIDIA driver, cuDNN 9, and CUDA with the provider libraries that were built for it: for ' +
    'CUDA 13 npm run native-cuda -w @collimate/backend-onnx, for CUDA 12 ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild ' +
    'onnxruntime-node; the libraries of CUDA and cuDNN have to be on LD_LIBRARY_PATH',
  webgpu:
    'webgpu needs linux x64 with a Vulkan driver (for tests that of Chromium does, as the README of backend-onnx shows), ' +
    'macOS arm64, or Windows',
  coreml: 'coreml needs macOS on arm64',
  dml: 'dml needs Windows with a DirectX 12 device',
}
