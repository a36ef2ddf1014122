import { describe, expect, test } from 'vitest'
import { reportSchema } from '../report.js'
import { syntheticMeasured, syntheticRun, syntheticStory } from '../testing/synthetic.js'
import { buildReport } from './build-report.js'

const about = { title: 'A story', createdAt: '2026-01-01T12:00:00.000Z' }
const story = () => buildReport({ ...about, records: syntheticStory(), measured: syntheticMeasured() })

describe('a report', () => {
  test('fits its schema, and is the same for the same runs', () => {
    expect(reportSchema.parse(JSON.parse(JSON.stringify(story())))).toEqual(story())
  })

  test('has an arm for each method and setting; the model that training began with comes first', () => {
    const { arms } = story()
    expect(arms.map(({ label }) => label)).toEqual([
      ...['SFT', 'reward model', 'DPO β 0.3', 'DPO β 0.1', 'DPO β 0.03'],
      ...['REINFORCE β 0.3', 'REINFORCE β 0.1', 'REINFORCE β 0.03', 'PPO β 0.3', 'PPO β 0.1', 'PPO β 0.03'],
    ])
    expect(arms.filter(({ isReference }) => isReference).map(({ label }) => label)).toEqual(['SFT'])
    const [sft, reward, dpo] = arms
    expect(sft).not.toHaveProperty('winsAgainstReference')
    expect(sft.final?.kl).toEqual({ value: 0 })
    expect(reward).not.toHaveProperty('final')
    expect(dpo.runs).toHaveLength(3)
    expect(dpo.final?.gold.count).toBe(300)
    expect(dpo.winsAgainstReference!.low).toBeGreaterThan(0.5)
    expect(dpo.gainOverReference!.low).toBeGreaterThan(0)
    expect(dpo.gainOverReference!.value).toBeCloseTo(dpo.final!['gold'].value - sft.final!['gold'].value, 9)
    expect(dpo.evaluations.map(({ step }) => step)).toEqual([0, 10, 20, 30, 40, 50, 60])
  })

  test('win rates of every pair add up to 1', () => {
    const { winRates } = story()
    expect(winRates?.arms).toHaveLength(10)
    winRates?.cells.forEach((row, i) =>
      row.forEach((cell, j) => {
        if (i === j) expect(cell).toBeNull()
        else expect(cell!.value + winRates.cells[j][i]!.value).toBeCloseTo(1, 12)
      }),
    )
  })

  test('costs by method, what the settings change, and fits of the gain', () => {
    const { methods, fits, frontiers, bestOfN } = story()
    const ppo = methods.find(({ method }) => method === 'ppo')
    expect(ppo).toMatchObject({ parameters: 4 * 524_288, generatedTokens: 88_000, spread: { settings: 3 } })
    expect(methods.find(({ method }) => method === 'sft')).not.toHaveProperty('spread')
    expect(fits.map(({ method, reward, form }) => `${method} ${reward} ${form}`)).toEqual([
      ...['dpo gold rl', 'reinforce gold rl', 'ppo gold rl', 'best-of-n gold best-of-n'],
      ...['dpo reward rl', 'reinforce reward rl', 'ppo reward rl', 'best-of-n reward best-of-n'],
    ])
    // The synthetic gold gain peaks at √KL = exp(1/0.7 − 1).
    expect(fits[2].peak).toBeGreaterThan(1.2)
    expect(fits[2].peak).toBeLessThan(1.9)
    expect(frontiers.map(({ reward }) => reward)).toEqual(['gold', 'reward'])
    expect(bestOfN?.points.map(({ n }) => n)).toEqual([1, 2, 4, 8, 16])
  })

  test('from records alone: the last evaluations are the ends, and nobody was compared', () => {
    const { arms, measured, winRates, samples, frontiers } = buildReport({ ...about, records: syntheticStory() })
    expect([measured, winRates, samples, frontiers]).toEqual([undefined, undefined, [], []])
    expect(arms.find(({ id }) => id === 'dpo-beta-0.1')?.final?.kl.value).toBeCloseTo(3.1, 6)
  })

  test('a KL to another model than the reference of all is left out', () => {
    const base = syntheticRun({ method: 'dpo', beta: 0.1, kl: 2 })
    const other = { ...base, config: { ...base.config, evaluators: [{ use: 'rewards', reference: './elsewhere' }] } }
    const [run] = buildReport({ ...about, records: [other] }).runs
    expect(run.evaluations.at(-1)?.metrics).not.toHaveProperty('kl')
    expect(run.evaluations.at(-1)?.metrics).toHaveProperty('gold')
  })

  test('says which runs failed, and how', () => {
    const failed = syntheticRun({ method: 'ppo', kl: 1 })
    const manifest = { ...failed.manifest, status: 'failed', steps: 7, error: 'COLLIMATE_DIVERGED: far' } as const
    const { notes } = buildReport({ ...about, records: [{ ...failed, manifest }], notes: ['first'] })
    expect(notes).toEqual(['first', 'ppo failed after 7 of 60 steps: COLLIMATE_DIVERGED: far'])
  })
})
