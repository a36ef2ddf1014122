import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import fc from 'fast-check'
import { readCheckpoint, writeCheckpoint } from './checkpoint.js'
import type { HostTensor } from './contracts/program.js'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'collimate-checkpoint-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const tensor = fc.oneof(
  fc.float32Array({ maxLength: 9 }).map((data): HostTensor => ({ dtype: 'float', shape: [data.length], data })),
  fc.float64Array({ maxLength: 9 }).map((data): HostTensor => ({ dtype: 'float', shape: [data.length], data })),
  fc.int32Array({ maxLength: 9 }).map((data): HostTensor => ({ dtype: 'int', shape: [data.length], data })),
  fc.uint8Array({ maxLength: 9 }).map((data): HostTensor => ({ dtype: 'bool', shape: [data.length], data })),
)

/** Any, those that objects have of their own too. */
const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor'))

test('law: what is read is what was written, bit for bit, NaN and -0 included', async () => {
  const file = join(folder, 'state.bin')
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, tensor), fc.nat(), fc.jsonValue(), async (tensors, step, trainer) => {
      const policy = { version: step, optimizerSteps: step, tensors }
      await writeCheckpoint(file, { step, consumed: 3 * step, trainer, policy })
      const back = await readCheckpoint(file)
      expect(back.trainer).toEqual(JSON.parse(JSON.stringify(trainer)))
      expect([back.step, back.consumed, back.policy.version]).toEqual([step, 3 * step, step])
      expect(back.policy.tensors).toEqual({ ...tensors })
    }),
    { numRuns: 50 },
  )
  expect(readdirSync(folder)).toEqual(['state.bin'])
})

test('law: cut anywhere, a checkpoint is refused', async () => {
  const file = join(folder, 'whole.bin')
  const tensors = { w: { dtype: 'float', shape: [3], data: Float32Array.of(1, 2, 3) } } as const
  await writeCheckpoint(file, {
    step: 1,
    consumed: 1,
    trainer: null,
    policy: { version: 1, optimizerSteps: 1, tensors },
  })
  const bytes = readFileSync(file)
  const cut = join(folder, 'cut.bin')
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(cut, bytes.subarray(0, length))
    await expect(readCheckpoint(cut)).rejects.toMatchObject({ code: 'COLLIMATE_CHECKPOINT_BROKEN' })
  }
  await expect(readCheckpoint(join(folder, 'absent.bin'))).rejects.toMatchObject({
    code: 'COLLIMATE_CHECKPOINT_MISSING',
  })
})
