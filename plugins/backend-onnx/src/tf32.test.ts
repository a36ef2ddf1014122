import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => vi.unstubAllEnvs())

test('one setting of tf32 per process, taken back where no backend came of it', async () => {
  vi.stubEnv('NVIDIA_TF32_OVERRIDE', '0')
  const { settleTf32 } = await import('./tf32.js')
  const refused = expect.objectContaining({ code: 'COLLIMATE_PRECISION_SETTLED' }) as Error
  const undo = settleTf32(false)
  settleTf32(false)()
  expect(() => settleTf32(true)).toThrow(refused)
  undo()
  const other = settleTf32(true)
  expect(() => settleTf32(false)).toThrow(refused)
  other()
})
