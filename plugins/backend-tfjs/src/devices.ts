/** Where TensorFlow.js can compute, fastest first: its native binding with and without CUDA, WebAssembly, JavaScript. */
export const devices = ['node-gpu', 'node', 'wasm', 'cpu'] as const
export type Device = (typeof devices)[number]

/** Which kernels a device has: both native bindings have those of TensorFlow. */
export type Provider = 'node' | 'wasm' | 'cpu'
export const providerOf = (device: Device): Provider => (device === 'node-gpu' ? 'node' : device)

/** What each device needs; part of the error where it is missing (COLLIMATE_PROVIDER_UNAVAILABLE). */
export const deviceNeeds: Readonly<Record<Device, string>> = {
  'node-gpu':
    'node-gpu needs linux x64 and an NVIDIA GPU: npm run native-tfjs -w @collimate/backend-tfjs -- --cuda, or npm install ' +
    '@tensorflow/tfjs-node-gpu (CUDA 11.2, cuDNN 8.1)',
  node: 'node needs npm run native-tfjs -w @collimate/backend-tfjs (linux x64), or npm install @tensorflow/tfjs-node',
  wasm: 'reinstall @tensorflow/tfjs-backend-wasm',
  cpu: 'reinstall @tensorflow/tfjs-backend-cpu',
}
