import { expect, test } from 'vitest'
import { fakes } from './fakes/fakes.js'
import { applySettings } from './settings.js'

const config = () => ({
  name: 'x',
  trainer: 'dpo',
  data: { train: 'a.jsonl' },
  trackers: ['console', { use: 'jsonl' }],
})

test.each([
  [['seed=7'], { seed: 7 }],
  [['trainer.beta=0.2', 'trainer.loss=hinge'], { trainer: { use: 'dpo', beta: 0.2, loss: 'hinge' } }],
  [['trainer=sft'], { trainer: 'sft' }],
  [['data.maxRows=null'], { data: { train: 'a.jsonl', maxRows: null } }],
  [['data.columns={a: 1}'], { data: { train: 'a.jsonl', columns: { a: 1 } } }],
  [['trackers.0.interval=5'], { trackers: [{ use: 'console', interval: 5 }, { use: 'jsonl' }] }],
  [['trackers=[]'], { trackers: [] }],
  [['backend.device=cpu'], { backend: { use: 'onnx', device: 'cpu' } }],
  [['data.train=a=b.jsonl'], { data: { train: 'a=b.jsonl' } }],
  [['seed='], { seed: null }],
])('%j', (settings, expected) => {
  const before = config()
  expect(applySettings(before, settings)).toEqual({ ...config(), ...expected })
  expect(before).toEqual(config())
})

test('reaches the options of a plugin that is used in TypeScript', () => {
  const { trainer } = fakes()
  const changed = applySettings({ trainer: trainer({ rate: 1 }) }, ['trainer.rate=2'])
  expect(changed.trainer.options).toEqual({ rate: 2 })
  expect(changed.trainer.plugin).toBe(trainer)
})

test('in a pipeline a path begins with the stage', () => {
  expect(applySettings({ stages: { sft: { trainer: 'sft' } } }, ['sft.trainer.steps=3', 'seed=1'])).toEqual({
    ...{ stages: { sft: { trainer: { use: 'sft', steps: 3 } } }, seed: 1 },
  })
  expect(applySettings({ stages: [{ name: 'sft', trainer: 'sft' }] }, ['sft.trainer.steps=3'])).toEqual({
    stages: [{ name: 'sft', trainer: { use: 'sft', steps: 3 } }],
  })
})

test('the name of a stage may have dots', () => {
  const stages = { 'ppo-0': { trainer: 'ppo' }, 'ppo-0.1': { trainer: 'ppo' } }
  expect(applySettings({ stages }, ['ppo-0.1.trainer.steps=3'])).toEqual({
    stages: { ...stages, 'ppo-0.1': { trainer: { use: 'ppo', steps: 3 } } },
  })
  expect(applySettings({ stages: [{ name: 'ppo-0.1', trainer: 'ppo' }] }, ['ppo-0.1.trainer.steps=3'])).toEqual({
    stages: [{ name: 'ppo-0.1', trainer: { use: 'ppo', steps: 3 } }],
  })
})

test.each(['seed', '=3', 'a..b=1', 'trackers.7.x=1', 'trackers.first=1', 'name.x.y={', 'seed=[1'])(
  '%s is refused',
  (setting) => {
    expect(() => applySettings(config(), [setting])).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_SETTING_INVALID' }),
    )
  },
)
