import type { Backend } from '@collimate/core'
import { expect, test } from 'vitest'
import { oneAtATime } from './one-at-a-time.js'

test('a backend opens when it is used, after the one before it was closed', async () => {
  const log: string[] = []
  let opened = 0
  let open = 0
  const create = oneAtATime(async () => {
    const name = `backend ${++opened}`
    expect(++open).toBe(1)
    const usage = async () => {
      log.push(name)
      return { executables: 0, states: 0, bytes: 0 }
    }
    const close = async () => void open--
    return { usage, close } as unknown as Backend
  })
  const [first, second] = [create(), create()]
  expect(opened).toBe(0)
  await Promise.all([first.usage(), first.usage(), second.usage(), first.usage()])
  expect(log).toEqual(['backend 1', 'backend 1', 'backend 2', 'backend 3'])
  await first.close()
  await second.close()
  expect(open).toBe(0)
})
