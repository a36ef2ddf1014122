import type * as Onnx from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { HeldSession } from './held-session.js'
import { DeviceValue, StateSet } from './state-set.js'

test('a session is released after its executable and the last tensor that came out of it', async () => {
  const log: string[] = []
  const session = { release: async () => void log.push('session') } as unknown as Onnx.InferenceSession
  const held = new HeldSession(session)
  const valueOf = (name: string) => {
    held.hold()
    const tensor = { dispose: () => log.push(name) } as unknown as Onnx.Tensor
    return new DeviceValue(tensor, () => void held.letGo())
  }
  const [set, copy] = [1, 2].map(() => new StateSet({ w: { dtype: 'float', shape: [1] } }))
  const first = valueOf('first')
  set?.keepOnDevice('w', first)
  copy?.keepOnDevice('w', first.share())
  set?.keepOnDevice('w', valueOf('second'))
  await held.letGo()
  set?.release()
  expect(log).toEqual(['second'])
  copy?.release()
  expect(log).toEqual(['second', 'first', 'session'])
})
