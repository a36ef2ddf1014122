import { expect, expectTypeOf, test } from 'vitest'
import { rewardSourceVerbs } from './contracts/reward-source.js'
import type { RewardReply, RewardSource } from './contracts/reward-source.js'
import { createBus } from './create-bus.js'
import { serve } from './serve.js'

test('an object is served under its role and asked through a handle of the same interface', async () => {
  const bus = createBus()
  const source = {
    scale: 2,
    async score({ rollouts }: { rollouts: readonly unknown[] }): Promise<RewardReply> {
      return { granularity: 'sequence', scores: rollouts.map(() => Float64Array.of(this.scale)) }
    },
    async close() {},
  } satisfies RewardSource & { scale: number }
  const { handle, dispose } = serve<RewardSource, typeof rewardSourceVerbs>(bus, 'reward', source, rewardSourceVerbs)
  expectTypeOf(handle).toEqualTypeOf<Pick<RewardSource, 'score' | 'close'>>()
  const rollouts = [
    { prompt: { ids: new Int32Array(), text: '' }, completion: { ids: new Int32Array(), text: '' }, columns: {} },
  ]
  expect(await handle.score({ rollouts })).toEqual({ granularity: 'sequence', scores: [Float64Array.of(2)] })

  // What stands between is seen by whoever asks through the handle.
  bus.wrap('reward.score', async (request, next) => {
    const reply = await next(request)
    return { ...reply, scores: reply.scores.map((score) => score.map((value) => -value)) }
  })
  expect((await handle.score({ rollouts })).scores).toEqual([Float64Array.of(-2)])
  dispose()
  await expect(bus.call('reward.close', undefined)).rejects.toMatchObject({ code: 'COLLIMATE_CALL_UNSERVED' })
})
