import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveExperiment, createRegistry, standaloneContext, type Scorable } from '@collimate/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import rule from './index.js'

const rollout = (text: string, more: Partial<Scorable> = {}): Scorable => ({
  prompt: { ids: Int32Array.of(1), text: 'How many?' },
  completion: { ids: Int32Array.from(text, (_, at) => at), text },
  columns: {},
  ...more,
})

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'collimate-rule-'))
  await writeFile(
    join(folder, 'my-reward.ts'),
    'export default async ({ completion, columns }: { completion: string; columns: Record<string, unknown> }) =>\n' +
      '  columns.skip === true ? null : completion.length',
  )
})
afterAll(() => rm(folder, { recursive: true }))

async function sourceOf(options: Parameters<typeof rule>[0]) {
  const { context } = standaloneContext({ folder, plugins: [rule] })
  return context.plugin('reward', rule(options))
}

describe('reward rule', () => {
  it('adds up ready rules, a file of the experiment and a function, and shows the parts', async () => {
    const source = await sourceOf({
      rules: [
        { rule: 'exact-answer', weight: 2 },
        { rule: './my-reward.ts', weight: 0.5 },
        { rule: ({ prompt, completionIds }) => prompt.length - completionIds.length, name: 'room' },
      ],
    })
    const reply = await source.score({
      rollouts: [
        rollout('72', { columns: { answer: '#### 72' } }),
        rollout('7', { columns: { answer: '#### 72', skip: true } }),
      ],
    })
    expect(reply).toEqual({
      granularity: 'sequence',
      scores: [Float64Array.of(2 + 1 + 7), Float64Array.of(8)],
      parts: {
        'exact-answer': Float64Array.of(1, 0),
        'my-reward': Float64Array.of(2, 0),
        room: Float64Array.of(7, 8),
      },
    })
  })

  it('refuses a completion that no rule scores', async () => {
    const source = await sourceOf({ rules: [{ rule: 'missing-eos' }] })
    expect((await source.score({ rollouts: [rollout('a', { endedBy: 'length' })] })).scores).toEqual([
      Float64Array.of(-1),
    ])
    await expect(source.score({ rollouts: [rollout('a', { endedBy: 'stop' }), rollout('b')] })).rejects.toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_REWARD_UNSCORED',
        message: 'no rule scores rollout 1, "b"',
      }),
    )
  })

  it('is checked before anything is made, and its config can be written down', async () => {
    const resolve = (rules: unknown) =>
      resolveExperiment(
        {
          policy: { use: 'transformer', model: './m' },
          trainer: 'dpo',
          data: { train: 'x.jsonl' },
          reward: { use: 'rule', rules },
        },
        createRegistry([rule]),
        process.cwd(),
      )
    await expect(resolve([{ rule: 'lenght' }])).rejects.toThrow(/did you mean "length"/)
    const { config } = await resolve([
      { rule: 'length', target: 4 },
      { rule: () => 1, name: 'one' },
    ])
    expect(config.reward).toEqual({
      use: 'rule',
      rules: [
        { rule: 'length', weight: 1, target: 4, unit: 'tokens' },
        { rule: expect.stringMatching(/^\[function/) as string, weight: 1, name: 'one' },
      ],
    })
  })
})
