import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { place } from './native-cuda/place.js'
import { run } from './native-cuda/run.js'
import { libraries, verify } from './native-cuda/verify.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'native-cuda-'))
  const lines = libraries.map((library) => {
    const digest = createHash('sha256').update(`contents of ${library}`).digest('base64url')
    return `onnxruntime/capi/${library},sha256=${digest},1`
  })
  for (const library of libraries) await writeFile(join(folder, library), `contents of ${library}`)
  await writeFile(join(folder, 'RECORD'), `onnxruntime/__init__.py,,\n${lines.join('\n')}\n`)
})
afterAll(() => rm(folder, { recursive: true }))

const failed = { code: 'COLLIMATE_NATIVE_CUDA_FAILED' }

test('libraries stand beside the runtime, also when they stood there before', async () => {
  const beside = await mkdtemp(join(tmpdir(), 'beside-'))
  await verify(folder)
  for (let i = 0; i < 2; i++) await place(folder, beside)
  for (const library of libraries) expect(await readFile(join(beside, library), 'utf8')).toBe(`contents of ${library}`)
  await rm(beside, { recursive: true })
})

test('another library than the RECORD has is refused', async () => {
  const [library] = libraries
  await writeFile(join(folder, library), 'something else')
  await expect(verify(folder)).rejects.toMatchObject(failed)
  await writeFile(join(folder, library), `contents of ${library}`)
  await writeFile(join(folder, 'RECORD'), '')
  await expect(verify(folder)).rejects.toMatchObject(failed)
})

test('a Python that is not there, or fails, is told with what it said', async () => {
  await expect(run('no-such-python', [], 'pip download')).rejects.toMatchObject(failed)
  const failing = run(process.execPath, ['-e', 'console.error("No module named pip"); process.exit(1)'], 'pip download')
  await expect(failing).rejects.toMatchObject({ ...failed, hint: expect.stringContaining('--python') })
})
