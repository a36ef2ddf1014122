import { expect, test } from 'vitest'
import { createQueue } from './queue.js'

test('tasks run one after another, also after a failure', async () => {
  const run = createQueue()
  const log: string[] = []
  const task =
    (name: string, fail = false) =>
    async () => {
      log.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      log.push(`${name} ends`)
      if (fail) throw new Error(name)
      return name
    }
  const results = await Promise.allSettled([run(task('a')), run(task('b', true)), run(task('c'))])
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})
