import type { Backend, HostTensor, StateInit } from '@collimate/core'
import { describe, expect, test } from 'vitest'
import { createWeightStore } from './weights.js'

/** A backend that only keeps state. */
function memory() {
  const sets = new Map<string, Map<string, HostTensor>>()
  let count = 0
  const add = (tensors: Map<string, HostTensor>) => {
    const id = `state ${++count}`
    sets.set(id, tensors)
    return id
  }
  const backend = {
    async state({ tensors }: { tensors: Record<string, StateInit> }) {
      const filled = Object.entries(tensors).map(([name, tensor]) => {
        const data = 'data' in tensor ? tensor.data.slice() : new Float64Array(tensor.shape.reduce((a, b) => a * b, 1))
        return [name, { dtype: tensor.dtype, shape: tensor.shape, data }] as const
      })
      return add(new Map(filled))
    },
    async read({ state, names }: { state: string; names: string[] }) {
      const set = sets.get(state)
      if (set === undefined) throw new Error(`${state} is gone`)
      return Object.fromEntries(names.map((name) => [name, set.get(name)]))
    },
    async copy({ state, names }: { state: string; names: string[] }) {
      const set = sets.get(state)
      return add(new Map(names.map((name) => [name, structuredClone(set?.get(name)) as HostTensor])))
    },
    async release({ id }: { id: string }) {
      sets.delete(id)
    },
  } as unknown as Backend
  const value = (state: string, name = 'w') => sets.get(state)?.get(name)?.data[0]
  const set = (state: string, to: number) => {
    const data = sets.get(state)?.get('w')?.data
    if (data !== undefined) data[0] = to
  }
  return { backend, sets, value, set }
}

const initial = { w: { dtype: 'float' as const, shape: [2], data: new Float64Array([1, 2]) } }

describe('createWeightStore', () => {
  test('training moves the weights into one set with gradients and moments', async () => {
    const { backend, sets, value } = memory()
    const store = await createWeightStore(backend, initial)
    const state = await store.trainingState()
    expect(await store.trainingState()).toBe(state)
    expect([...(sets.get(state)?.keys() ?? [])]).toEqual(['w', 'grad.w', 'adam.m.w', 'adam.v.w'])
    expect(value(state)).toBe(1)
    expect(value(state, 'grad.w')).toBe(0)
    expect(sets.size).toBe(1)
    await store.release()
    expect(sets.size).toBe(0)
  })

  test('frozen weights keep their values and cost a copy only when the policy changes', async () => {
    const { backend, sets, value, set } = memory()
    const store = await createWeightStore(backend, initial)
    const first = store.freeze()
    expect(sets.size).toBe(1)

    set(await store.trainingState(), 10)
    store.changed()
    expect(sets.size).toBe(2)
    expect(value(first.state())).toBe(1)
    expect(first.content()).not.toBe(store.content())

    const second = store.freeze()
    const third = store.freeze()
    expect(sets.size).toBe(2)
    expect(second.content()).toBe(store.content())
    set(await store.trainingState(), 20)
    store.changed()
    expect(sets.size).toBe(3)
    expect(value(second.state())).toBe(10)
    expect(third.state()).toBe(second.state())

    await first.release()
    await first.release()
    await second.release()
    expect(sets.size).toBe(2)
    await third.release()
    expect(sets.size).toBe(1)
    await store.release()
    expect(sets.size).toBe(0)
  })

  test('frozen weights outlive the policy', async () => {
    for (const trained of [false, true]) {
      const { backend, sets, value } = memory()
      const store = await createWeightStore(backend, initial)
      if (trained) await store.trainingState()
      const frozen = store.freeze()
      await store.release()
      expect(value(frozen.state())).toBe(1)
      expect(sets.size).toBe(1)
      await frozen.release()
      expect(sets.size).toBe(0)
    }
  })
})
