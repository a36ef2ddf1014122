/** Runs that never were: what a comparison is made of, from formulas. */
import { fraction } from '@collimate/core'
import type { Measured, MeasuredModel } from '../measured.js'
import type { RunRecord } from '../records/read-run.js'

interface Made {
  readonly method: string
  readonly beta?: number
  readonly seed?: number
  /** KL that it ends at, nats. */
  readonly kl: number
}

const normal = (stream: number, index: number): number =>
  Math.sqrt(-2 * Math.log(1 - fraction(7, stream, 2 * index))) *
  Math.cos(2 * Math.PI * fraction(7, stream, 2 * index + 1))

/** What a policy at a distance gains: the proxy for ever less, the gold reward up to a peak. */
const proxyGain = (kl: number): number => 1.3 * Math.sqrt(kl) * Math.exp(-0.03 * kl)
const goldGain = (kl: number): number => (kl === 0 ? 0 : Math.sqrt(kl) * (1 - 0.7 * Math.log(Math.sqrt(kl))))

const roles: Readonly<Record<string, readonly string[]>> = {
  ...{
    sft: ['policy'],
    reward: ['policy'],
    dpo: ['policy', 'reference'],
    reinforce: ['policy', 'reward', 'reference'],
  },
  ppo: ['policy', 'critic', 'reward', 'reference'],
}

export function syntheticRun({ method, beta, seed = 1, kl }: Made, changes: Partial<RunRecord> = {}): RunRecord {
  const name = [method, ...(beta === undefined ? [] : [beta]), ...(seed === 1 ? [] : [`seed${seed}`])].join('-')
  const models = (roles[method] ?? ['policy']).map((role) => ({ role, parameters: 524_288 }))
  const online = method === 'ppo' || method === 'reinforce'
  const steps = 60
  const share = (step: number): number => kl * (step / steps) ** 1.5
  const logged = { sft: 'mean_token_accuracy', reward: 'accuracy', dpo: 'rewards/accuracies' }[method] ?? 'reward'
  const value = (step: number): number =>
    online
      ? proxyGain(share(step)) + 0.15 * normal(seed, step)
      : 0.85 - 0.4 * Math.exp(-step / 12) + 0.02 * normal(seed, step)
  const around = (middle: number, half: number) => ({
    value: middle,
    low: middle - half,
    high: middle + half,
    count: 100,
  })
  const measures = method !== 'sft' && method !== 'reward'
  return {
    folder: `/runs/story/${name}`,
    manifest: {
      ...{
        format: 1,
        name,
        status: 'done',
        configHash: name,
        process: { pid: 1, host: 'here' },
        steps,
        totalSteps: steps,
      },
      ...{ startedAt: '2026-01-01T10:00:00.000Z', finishedAt: '2026-01-01T10:00:42.000Z', modelFolder: 'model' },
      resources: {
        ...{ models, stateBytes: 8.4e6 * models.length, processBytes: 5.2e8 + 4e7 * models.length },
        ...{ trainedTokens: 132_000, generatedTokens: online ? 88_000 : 0, trainingSeconds: online ? 31 : 12 },
      },
    },
    config: {
      ...{ name, seed, trainer: { use: method, ...(beta !== undefined && { beta }) } },
      policy: method === 'sft' ? { use: 'transformer', create: {} } : { use: 'transformer', model: 'story/sft/model' },
      ...(online && { reward: { use: 'bradley-terry', model: 'story/reward/model' } }),
      data: { use: 'files', train: 'rows.jsonl' },
    },
    environment: {
      ...{ folder: '/runs', node: 'v20.20.2', platform: 'linux x64', cpu: 'AMD EPYC', processors: 2 },
      ...{ memoryBytes: 24 * 2 ** 30, backend: { backend: 'onnx', device: 'cpu' } },
    },
    steps: Array.from({ length: steps / 2 }, (_, at) => ({
      step: 2 * at + 2,
      metrics: { [logged]: value(2 * at + 2) },
    })),
    evaluations: measures
      ? Array.from({ length: 7 }, (_, at) => {
          const there = share(10 * at)
          return {
            step: 10 * at,
            metrics: {
              eval_kl: around(there, 0.05 + 0.06 * there),
              eval_reward: around(proxyGain(there) + 0.04 * normal(seed + 50, at), 0.2),
              eval_gold: around(0.6 + goldGain(there) + 0.05 * normal(seed + 90, at), 0.3),
            },
          }
        })
      : [],
    ...(method === 'reward' && {
      calibration: [0.53, 0.57, 0.63, 0.68, 0.72, 0.78, 0.83, 0.88, 0.92, 0.97].map((predicted) => ({
        ...{ predicted, observed: around(0.5 + 0.8 * (predicted - 0.5), 0.07) },
      })),
    }),
    ...changes,
  }
}

const story: readonly Made[] = [
  { method: 'sft', kl: 0 },
  { method: 'reward', kl: 0 },
  ...[1, 2, 3].flatMap((seed) => [
    { method: 'dpo', beta: 0.3, seed, kl: 0.8 },
    { method: 'dpo', beta: 0.1, seed, kl: 3.1 },
    { method: 'dpo', beta: 0.03, seed, kl: 8.5 },
  ]),
  ...[0.3, 0.1, 0.03].map((beta, at) => ({ method: 'reinforce', beta, kl: [1.1, 3.9, 9.4][at] })),
  ...[0.3, 0.1, 0.03].map((beta, at) => ({ method: 'ppo', beta, kl: [0.9, 3.4, 12.1][at] })),
]

/** A whole story: SFT, a reward model, and three methods at three β; DPO with three seeds. */
export const syntheticStory = (): RunRecord[] => story.map((made) => syntheticRun(made))

/** Models of the story, measured on 100 prompts. */
export function syntheticMeasured(prompts = 100): Measured {
  const reference = '/runs/story/sft/model'
  const draws = (stream: number, middle: number, size: number): Float64Array =>
    Float64Array.from({ length: prompts }, (_, at) => middle + size * normal(stream, at))
  const models = story.flatMap(({ method, kl, seed = 1 }, run): MeasuredModel[] => {
    if (method === 'reward') return []
    const scores = {
      gold: draws(run, 0.6 + goldGain(kl) + 0.1 * normal(run, 999 + seed), 1.2),
      reward: draws(100 + run, proxyGain(kl), 0.9),
    }
    return [
      {
        ...{ run, name: method, reference, isReference: method === 'sft', scores },
        kl: method === 'sft' ? new Float64Array(prompts) : draws(200 + run, kl, Math.sqrt(kl)),
        ...{ lengths: draws(300 + run, 22, 5).map(Math.round), cut: new Float64Array(prompts) },
        texts: Array.from(
          { length: prompts },
          (_, at) => ` Answer ${at} of run ${run} <b>&amp;</b> thank you for asking, we will look at it.`,
        ),
      },
    ]
  })
  const sampled = Array.from({ length: 24 }, (_, prompt) => {
    const shared = Float64Array.from({ length: 64 }, (_value, at) => normal(1000 + prompt, at))
    return {
      rewards: {
        gold: shared.map((value, at) => 0.6 + 1.2 * value + 0.5 * normal(2000 + prompt, at)),
        reward: shared.map((value, at) => value + 0.6 * normal(3000 + prompt, at)),
      },
    }
  })
  return {
    prompts: Array.from({ length: prompts }, (_, at) => `Customer: Where is order ${at}?\nAgent:`),
    ...{ maxNewTokens: 60, temperature: 1, topP: 1, seed: 1, models },
    frontier: { samplesPerPrompt: 64, reference: sampled, mixture: sampled, policies: [] },
  }
}
