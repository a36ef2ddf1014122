import type { HostTensor } from '@collimate/core'
import fc from 'fast-check'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../testing/temporary-folder.js'
import { readSafetensors, writeSafetensors } from './safetensors.js'

const folder = temporaryFolder()
const path = () => join(folder(), 'x.safetensors')

/** A file by hand: header and data as they should lie on disk. */
async function handMade(header: unknown, data: ArrayBufferView | Uint8Array = new Uint8Array()): Promise<string> {
  const text = typeof header === 'string' ? header : JSON.stringify(header)
  const length = new Uint8Array(new BigUint64Array([BigInt(Buffer.byteLength(text))]).buffer)
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  await writeFile(path(), Buffer.concat([length, Buffer.from(text), bytes]))
  return path()
}

const entry = (dtype: string, shape: number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

describe('reading', () => {
  test.each([
    ['F32', Float32Array.of(1.5, -2), Float32Array.of(1.5, -2)],
    ['F64', Float64Array.of(1.5, 0.1), Float32Array.of(1.5, 0.1)],
    ['F16', Uint16Array.of(0x3c00, 0xc100), Float32Array.of(1, -2.5)],
    ['BF16', Uint16Array.of(0x3f80, 0xc020), Float32Array.of(1, -2.5)],
    ['I64', BigInt64Array.of(7n, -8n), Int32Array.of(7, -8)],
    ['I32', Int32Array.of(7, -8), Int32Array.of(7, -8)],
    ['I16', Int16Array.of(7, -8), Int32Array.of(7, -8)],
    ['I8', Int8Array.of(7, -8), Int32Array.of(7, -8)],
    ['U32', Uint32Array.of(7, 8), Int32Array.of(7, 8)],
    ['U16', Uint16Array.of(7, 65535), Int32Array.of(7, 65535)],
    ['U8', Uint8Array.of(7, 255), Int32Array.of(7, 255)],
    ['BOOL', Uint8Array.of(0, 1), Uint8Array.of(0, 1)],
  ])('%s', async (dtype, stored, expected) => {
    const file = await handMade({ x: entry(dtype, [2], 0, stored.byteLength) }, stored)
    expect((await readSafetensors(file)).tensors['x']).toMatchObject({ shape: [2], data: expected })
  })

  test('F64 keeps its precision where asked', async () => {
    const file = await handMade({ x: entry('F64', [], 0, 8) }, Float64Array.of(0.1))
    expect((await readSafetensors(file, { float64: true })).tensors['x'].data).toEqual(Float64Array.of(0.1))
  })

  test('tensors in any order of names, with metadata', async () => {
    const header = { b: entry('I8', [1], 0, 1), __metadata__: { format: 'pt' }, a: entry('I8', [2], 1, 3) }
    const { tensors, metadata } = await readSafetensors(await handMade(header, Int8Array.of(1, 2, 3)))
    expect(tensors['a'].data).toEqual(Int32Array.of(2, 3))
    expect(tensors['b'].data).toEqual(Int32Array.of(1))
    expect(metadata).toEqual({ format: 'pt' })
  })
})

describe('refused', () => {
  const bytes = new Uint8Array(8)
  test.each([
    ['not JSON', '{"x":', bytes, /header at byte 8 is not JSON/],
    ['not an object', '[]', bytes, /not a JSON object/],
    ['metadata', { __metadata__: { a: 1 } }, new Uint8Array(), /__metadata__/],
    ['entry', { x: 3 }, bytes, /tensor "x"/],
    ['dtype', { x: entry('F8_E4M3', [8], 0, 8) }, bytes, /tensor "x": dtype "F8_E4M3"/],
    ['prototype key as dtype', { x: entry('toString', [8], 0, 8) }, bytes, /dtype "toString"/],
    ['shape', { x: entry('F32', [-2], 0, 8) }, bytes, /shape \[-2\]/],
    ['offsets', { x: entry('F32', [2], 8, 0) }, bytes, /data_offsets/],
    ['size', { x: entry('F32', [3], 0, 8) }, bytes, /hold 8 bytes, but F32 \[3\] needs 12/],
    ['gap', { x: entry('F32', [1], 4, 8) }, bytes, /leaves a gap/],
    ['overlap', { x: entry('F32', [2], 0, 8), y: entry('F32', [1], 4, 8) }, bytes, /tensor "y".*overlaps/],
    ['truncated data', { x: entry('F32', [4], 0, 16) }, bytes, /cut off: tensor "x" ends at byte/],
    ['trailing data', { x: entry('F32', [1], 0, 4) }, bytes, /4 bytes after the last tensor/],
    ['too large', { x: entry('I64', [1], 0, 8) }, BigInt64Array.of(2n ** 40n), /tensor "x".*does not fit 32 bits/],
    ['overflowing shape', { x: entry('F32', [2 ** 40, 2 ** 40], 0, 8) }, bytes, /tensor "x"/],
  ])('%s', async (_name, header, data, message) => {
    const file = await handMade(header, data)
    const error = await readSafetensors(file).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'COLLIMATE_SAFETENSORS_INVALID',
      message: expect.stringMatching(message) as string,
    })
    expect((error as Error).message).toContain(file)
  })

  test.each([
    ['an empty file', Buffer.alloc(0)],
    ['a header beyond the file', Buffer.from([100, 0, 0, 0, 0, 0, 0, 0, 123])],
    ['an absurd header length', Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 123])],
  ])('%s', async (_name, content) => {
    await writeFile(path(), content)
    await expect(readSafetensors(path())).rejects.toMatchObject({ code: 'COLLIMATE_SAFETENSORS_INVALID' })
  })

  test('a missing file, a folder', async () => {
    await expect(readSafetensors(path())).rejects.toMatchObject({ code: 'COLLIMATE_FILE_MISSING' })
    await expect(readSafetensors(folder())).rejects.toMatchObject({ code: 'COLLIMATE_FILE_UNREADABLE' })
  })

  test('any cut of a good file', async () => {
    await writeSafetensors(path(), { x: { dtype: 'float', shape: [3], data: Float32Array.of(1, 2, 3) } })
    const whole = await readFile(path())
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path(), whole.subarray(0, length))
      await expect(readSafetensors(path())).rejects.toMatchObject({ code: 'COLLIMATE_SAFETENSORS_INVALID' })
    }
  })
})

describe('writing', () => {
  const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  const tensor = shape.chain((sizes): fc.Arbitrary<HostTensor> => {
    const length = sizes.reduce((product, size) => product * size, 1)
    const exactly = { minLength: length, maxLength: length }
    return fc.oneof(
      fc.float32Array(exactly).map((data) => ({ dtype: 'float' as const, shape: sizes, data })),
      fc.int32Array(exactly).map((data) => ({ dtype: 'int' as const, shape: sizes, data })),
      fc.uint8Array({ ...exactly, max: 1 }).map((data) => ({ dtype: 'bool' as const, shape: sizes, data })),
    )
  })

  test('read back, bit for bit', async () => {
    const names = fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__')
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, tensor, { noNullPrototype: true }), async (tensors) => {
        await writeSafetensors(path(), tensors, { metadata: { made: 'here' } })
        const back = await readSafetensors(path())
        expect(back.metadata).toEqual({ made: 'here' })
        expect(Object.keys(back.tensors).sort()).toEqual(Object.keys(tensors).sort())
        for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
          expect(back.tensors[name]).toMatchObject({ dtype, shape })
          expect(
            Buffer.from(back.tensors[name].data.buffer).equals(
              Buffer.from(data.buffer, data.byteOffset, data.byteLength),
            ),
          ).toBe(true)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('tensors lie aligned behind an aligned header', async () => {
    await writeSafetensors(path(), {
      a: { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
      b: { dtype: 'float', shape: [1], data: Float32Array.of(1) },
    })
    const bytes = await readFile(path())
    const length = Number(bytes.readBigUInt64LE(0))
    expect(length % 8).toBe(0)
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, unknown>
    expect(header['__metadata__']).toEqual({ format: 'pt' })
    expect(header['b']).toEqual(entry('F32', [1], 0, 4))
    expect(header['a']).toEqual(entry('BOOL', [3], 4, 7))
  })

  test.each(['F16', 'BF16'] as const)('%s holds what it can hold exactly', async (dtype) => {
    const x = { dtype: 'float', shape: [3], data: Float32Array.of(1, -0.5, 96) } as const
    await writeSafetensors(path(), { x }, { dtype })
    expect((await readSafetensors(path())).tensors['x']).toEqual(x)
  })

  test('an unwritable place leaves nothing behind', async () => {
    await expect(writeSafetensors(join(folder(), 'no', 'x.safetensors'), {})).rejects.toMatchObject({
      code: 'COLLIMATE_FILE_UNWRITABLE',
    })
    await mkdir(path())
    await expect(writeSafetensors(path(), {})).rejects.toMatchObject({ code: 'COLLIMATE_FILE_UNWRITABLE' })
    expect(await readdir(folder())).toEqual(['x.safetensors'])
  })
})
