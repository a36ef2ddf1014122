import { describe, expect, test } from 'vitest'
import { syntheticRun } from '../testing/synthetic.js'
import { armsOf } from './arms.js'
import type { RunRecord } from './read-run.js'

const run = (method: string, changes: Record<string, unknown> = {}, seed = 1): RunRecord => {
  const made = syntheticRun({ method, kl: 1, seed })
  const trainer = { use: method, ...((changes['trainer'] as object | undefined) ?? {}) }
  return { ...made, config: { ...made.config, ...changes, trainer, seed } }
}
const shown = (runs: readonly RunRecord[]) => armsOf(runs).map(({ label, runs: members }) => [label, members] as const)

describe('arms', () => {
  test('differ in settings; runs that differ in their seeds alone are one', () => {
    const beta = (value: number) => ({ trainer: { beta: value } })
    expect(shown([run('dpo', beta(0.1)), run('dpo', beta(0.3)), run('dpo', beta(0.1), 2), run('sft')])).toEqual([
      ['SFT', [3]],
      ['DPO β 0.3', [1]],
      ['DPO β 0.1', [0, 2]],
    ])
  })

  test('several settings, by the shortest names that tell them apart', () => {
    const settings = (rate: number, lambda: number) => ({
      ...{ trainer: { learningRate: rate, loggingSteps: rate }, estimator: { use: 'gae', lambda } },
    })
    expect(shown([run('ppo', settings(0.1, 0.9)), run('ppo', settings(0.2, 1))])).toEqual([
      ['PPO learningRate 0.1, λ 0.9', [0]],
      ['PPO learningRate 0.2, λ 1', [1]],
    ])
  })

  test('paths tell runs apart only where seeds do not', () => {
    const from = (model: string) => ({ policy: { use: 'transformer', model } })
    expect(shown([run('dpo', from('a/model'), 1), run('dpo', from('b/model'), 2)])).toEqual([['DPO', [0, 1]]])
    const same = shown([run('dpo', from('../a/x')), run('dpo', from('../a/y'))])
    expect(same).toEqual([
      ['DPO model x', [0]],
      ['DPO model y', [1]],
    ])
  })

  test('the same run twice is two arms, told apart', () => {
    const labels = shown([run('dpo'), run('dpo')]).map(([label]) => label)
    expect(new Set(labels).size).toBe(2)
  })

  test('a trainer of one’s own, by its file name', () => {
    expect(shown([run('./plugins/my-trainer.ts')])).toEqual([['my-trainer', [0]]])
  })
})
