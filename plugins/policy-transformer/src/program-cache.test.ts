import type { Backend, Program } from '@collimate/core'
import { describe, expect, test } from 'vitest'
import { createProgramCache } from './program-cache.js'

const program: Program = { name: 'nothing', inputs: [], nodes: [], outputs: [], updates: [] }

/** A backend that only compiles and releases. */
function compiler() {
  const alive = new Set<string>()
  let compiled = 0
  let failing = false
  const backend = {
    async compile() {
      if (failing) throw new Error('does not compile')
      const id = `executable ${++compiled}`
      alive.add(id)
      return id
    },
    async release({ id }: { id: string }) {
      alive.delete(id)
    },
  } as unknown as Backend
  return { backend, alive, compiled: () => compiled, fail: (value: boolean) => (failing = value) }
}

/** What the cache counts for the program, which is as small as one can be. */
const least = 2 ** 22

const request = (key: string, content?: string) => ({
  key,
  build: () => ({ program, info: undefined }),
  ...(content !== undefined && { frozen: { state: 'weights', content, bytes: least } }),
})
const nothing = async () => undefined

describe('createProgramCache', () => {
  test('compiles once per key and keeps the latest used', async () => {
    const { backend, alive, compiled } = compiler()
    const cache = createProgramCache(backend, 1 * least)
    for (const key of ['a', 'b', 'a', 'c', 'a']) await cache.use(request(key), nothing)
    expect(compiled()).toBe(3)
    expect(alive.size).toBe(2)
    await cache.use(request('b'), nothing)
    expect(compiled()).toBe(4)
    await cache.close()
    expect(alive.size).toBe(0)
  })

  test('never releases what is in use', async () => {
    const { backend, alive } = compiler()
    const cache = createProgramCache(backend, 0)
    await cache.use(request('a'), async () => {
      await cache.use(request('b'), async () => {
        await cache.use(request('c'), nothing)
        expect([...alive]).toEqual(['executable 1', 'executable 2', 'executable 3'])
      })
      expect([...alive]).toEqual(['executable 1', 'executable 3'])
    })
    expect(alive.size).toBe(1)
  })

  test('a program larger than the budget is not compiled again at each step', async () => {
    const { backend, compiled } = compiler()
    const cache = createProgramCache(backend, 2 * least)
    for (let step = 0; step < 3; step++)
      for (const key of ['loss', 'norm', 'adamw'])
        await cache.use(request(key, key === 'loss' ? 'weights' : undefined), nothing)
    expect(compiled()).toBe(3)
  })

  test('what is compiled again while an old one is being released is kept, and released in the end', async () => {
    const { backend, alive } = compiler()
    let open = () => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    const slow = {
      ...backend,
      async release(request: { id: string }) {
        await gate
        await backend.release(request)
      },
    } as Backend
    const cache = createProgramCache(slow, 0)
    const first = Promise.all(['a', 'b', 'c'].map((key) => cache.use(request(key), nothing)))
    await new Promise((resolve) => setTimeout(resolve, 5))
    await cache.use(request('b'), async () => {
      open()
      await first
    })
    await cache.close()
    expect([...alive]).toEqual([])
  })

  test('forgets frozen executables by content and leaves the others', async () => {
    const { backend, alive, compiled } = compiler()
    const cache = createProgramCache(backend, 10 * least)
    await cache.use(request('step', 'weights 1'), nothing)
    await cache.use(request('step', 'weights 2'), nothing)
    await cache.use(request('step'), nothing)
    expect(compiled()).toBe(3)
    await cache.forget('weights 1')
    expect(alive.size).toBe(2)
  })

  test('counts the weights that are built in, and keeps what was used last', async () => {
    const { backend, alive } = compiler()
    const cache = createProgramCache(backend, 1 * least)
    await cache.use(request('a'), nothing)
    await cache.use(request('b', 'weights'), nothing)
    expect(alive.size).toBe(2)
    await cache.use(request('c', 'weights'), nothing)
    expect([...alive]).toEqual(['executable 3'])
    const small = createProgramCache(backend, 1)
    await small.use(request('d', 'weights'), nothing)
    expect([...alive]).toEqual(['executable 3', 'executable 4'])
  })

  test('a program that does not compile is tried again', async () => {
    const { backend, fail, alive } = compiler()
    const cache = createProgramCache(backend, 4 * least)
    fail(true)
    await expect(cache.use(request('a'), nothing)).rejects.toThrow('does not compile')
    fail(false)
    await cache.use(request('a'), nothing)
    expect(alive.size).toBe(1)
    await cache.close()
    expect(alive.size).toBe(0)
  })
})
