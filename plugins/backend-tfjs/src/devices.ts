/** Where TensorFlow.js can compute: its native bindings with and without CUDA, WebAssembly, and plain JavaScript. */
export const devices = ['node-gpu', 'node', 'wasm', 'cpu'] as const
export type Device = (typeof devices)[number]
