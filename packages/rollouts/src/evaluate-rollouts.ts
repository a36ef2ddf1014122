import { meanInterval, proportionInterval } from '@collimate/core'
import type { Example, Measurement, Reference, RewardSource, Rollout, Sampling, TrainerContext } from '@collimate/core'
import { tokenKl } from './kl-estimators.js'
import { rolloutOutputs } from './rollout-examples.js'
import { rowSums } from './rollout-metrics.js'
import { sampleRollouts, textOf } from './sample-rollouts.js'
import { scoreRollouts } from './score-rollouts.js'

/** Prompts that are answered together: after each lot progress is told and an abort is heard. */
const LOT = 64

export interface EvaluateRequest {
  /** Most held-out prompts that are answered; each prompt once. */
  readonly prompts: number
  readonly sampling: Sampling
  /** Rewards to measure by name: `eval_NAME`. */
  readonly rewards: Readonly<Record<string, Pick<RewardSource, 'score'>>>
  readonly reference?: Reference
  readonly microBatchSize: number
}

export interface Evaluated {
  readonly rollouts: readonly Rollout[]
  /** [n] by the names of the rewards. */
  readonly rewards: Readonly<Record<string, Float64Array>>
  /** [n] Σ_t log π/π_ref of each completion, nats; where there is a reference. */
  readonly kl?: Float64Array
}

/** Answers held-out prompts and scores the answers; the same seed gives the same random numbers at every evaluation. */
export async function evaluateRollouts(
  { bus, policy, data, signal }: Pick<TrainerContext, 'bus' | 'policy' | 'data' | 'signal'>,
  { prompts, sampling, rewards, reference, microBatchSize }: EvaluateRequest,
): Promise<Evaluated> {
  const examples = await heldOutPrompts(data, prompts)
  const text = await textOf(policy)
  const rollouts: Rollout[] = []
  const found: Record<string, number[]> = Object.fromEntries(Object.keys(rewards).map((name) => [name, []]))
  const kl: number[] = []
  for (let start = 0; start < examples.length; start += LOT) {
    signal.throwIfAborted()
    const lot = examples.slice(start, start + LOT)
    const sampled = await sampleRollouts(policy, text, { examples: lot, groupSize: 1, sampling, firstStream: start })
    rollouts.push(...sampled)
    for (const [name, reward] of Object.entries(rewards))
      found[name].push(...(await scoreRollouts(reward, sampled)).totals)
    if (reference) {
      const { logProbs } = await rolloutOutputs(reference, sampled, ['logProbs'], {
        ...{ groupSize: 1, microBatchSize },
        ...(sampling.temperature > 0 && { temperature: sampling.temperature }),
      })
      const ratios = tokenKl(
        'k1',
        sampled.map((rollout) => rollout.logProbs),
        logProbs,
      )
      kl.push(
        ...rowSums(
          ratios,
          sampled.map(({ mask }) => mask),
        ),
      )
    }
    bus.emit('progress.made', {
      ...{ phase: 'held-out prompts', done: rollouts.length, total: examples.length, unit: 'prompts' },
    })
  }
  return {
    rollouts,
    rewards: Object.fromEntries(Object.entries(found).map(([name, values]) => [name, Float64Array.from(values)])),
    ...(reference && { kl: Float64Array.from(kl) }),
  }
}

/** Means with 95 % intervals over prompts: `eval_NAME` of each reward, KL per completion, lengths. */
export function evaluationMetrics({ rollouts, rewards, kl }: Evaluated): Record<string, Measurement> {
  if (rollouts.length === 0) return {}
  const cut = rollouts.filter(({ endedBy }) => endedBy === 'length').length
  return {
    ...Object.fromEntries(Object.entries(rewards).map(([name, values]) => [`eval_${name}`, meanInterval(values)])),
    ...(kl && { eval_kl: meanInterval(kl) }),
    'eval_completions/mean_length': meanInterval(rollouts.map(({ completion }) => completion.ids.length)),
    'eval_completions/clipped_ratio': proportionInterval(cut, rollouts.length),
  }
}

/** The first prompts of the held-out split, each once. */
export async function heldOutPrompts(data: TrainerContext['data'], most: number): Promise<readonly Example[]> {
  const found = new Map<string, Example>()
  for (let start = 0; start < data.evaluationLength && found.size < most; start += LOT) {
    const indices = Array.from({ length: Math.min(LOT, data.evaluationLength - start) }, (_, k) => start + k)
    for (const example of await data.read('evaluation', indices))
      if (example.prompt.length > 0 && !found.has(example.prompt.join())) found.set(example.prompt.join(), example)
  }
  return [...found.values()].slice(0, most)
}
