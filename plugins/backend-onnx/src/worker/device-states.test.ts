import type * as Onnx from 'onnxruntime-node'
import { beforeEach, expect, test } from 'vitest'
import { DeviceStates } from './device-states.js'
import { DeviceValue, StateSet } from './state-set.js'

// What a run makes of it is in the laws of backends, which hold on webgpu; here is who carries what, and who frees it.

const disposed: number[] = []
let made = 0
const tensorOf = (data: Float32Array): Onnx.Tensor => {
  const number = ++made
  return { data, location: 'gpu-buffer', dispose: () => disposed.push(number) } as unknown as Onnx.Tensor
}
let carried: string[] = []
let closed = 0
const device = () =>
  new DeviceStates(async (_, { y }) => {
    const run = async ({ x }: { x: Onnx.Tensor }) => {
      carried.push(y ?? '')
      return { y: tensorOf(Float32Array.from(x.data as Float32Array)) }
    }
    return { run, release: async () => void closed++ } as unknown as Onnx.InferenceSession
  })
const filled = (...values: number[]): StateSet => {
  const set = new StateSet({ w: { dtype: 'float', shape: [values.length] } })
  set.view('w').set(values)
  return set
}

beforeEach(() => {
  carried = []
  made = closed = 0
  disposed.length = 0
})

test('values are carried to the device once, and back when they are read', async () => {
  const states = device()
  const set = filled(1, 2)
  const host = () => tensorOf(set.view('w') as Float32Array)
  const first = await states.tensor(set, 'w', host)
  expect(await states.tensor(set, 'w', host)).toBe(first)
  expect(carried).toEqual(['gpu-buffer'])
  set.keepOnDevice('w', new DeviceValue(tensorOf(Float32Array.of(5, 6))))
  await states.fetch(set, 'w')
  expect(carried).toEqual(['gpu-buffer', 'cpu'])
  expect(Array.from(set.view('w'))).toEqual([5, 6])
  await states.close()
  expect(closed).toBe(2)
})

test('what the host has is not carried back', async () => {
  await device().fetch(filled(1), 'w')
  expect(carried).toEqual([])
})

test('a value is freed by its last user: the set, its copy, or what takes its place', () => {
  const [set, copy] = [filled(1), filled(1)]
  const value = new DeviceValue(tensorOf(Float32Array.of(1)))
  set.keepOnDevice('w', value)
  copy.keepOnDevice('w', value.share())
  set.keepOnDevice('w', new DeviceValue(tensorOf(Float32Array.of(2))))
  expect(disposed).toEqual([])
  copy.release()
  expect(disposed).toEqual([1])
  set.leaveDevice('w')
  set.release()
  expect(disposed).toEqual([1, 2])
})
