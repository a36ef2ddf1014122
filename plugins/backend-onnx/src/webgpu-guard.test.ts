import { expect, test } from 'vitest'
import { takeDevice } from './webgpu-guard.js'

test('one backend at a time has webgpu, any number the cpu', () => {
  const giveBack = takeDevice('webgpu')
  expect(() => takeDevice('webgpu')).toThrow(expect.objectContaining({ code: 'COLLIMATE_PROVIDER_BUSY' }) as Error)
  takeDevice('cpu')
  takeDevice('cpu')
  giveBack()
  takeDevice('webgpu')()
})
