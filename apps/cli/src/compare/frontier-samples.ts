import type { Example, Policy, Reference, RewardSource, Rollout, Sampling } from '@collimate/core'
import { mixtureWeights } from '@collimate/report'
import type { FrontierSamples, MeasuredModel, PromptCompletions } from '@collimate/report'
import { heldOutPrompts, rolloutOutputs, rowSums, sampleRollouts, scoreRollouts, textOf } from '@collimate/rollouts'
import type { PromptSource } from '../measure/prompt-source.js'
import type { Workshop } from '../measure/workshop.js'
import type { PlannedModel } from './plan.js'
import { upperHull } from './upper-hull.js'

/** Completions of a prompt that lie in one row: more would make attention over the row dear. */
const inOneRow = 8
/** Random streams of the evaluations end long before. */
const firstStream = 2 ** 20
/** Trained policies that are sampled beside the reference, at most. */
const mostPolicies = 3

export interface FrontierRequest {
  readonly prompts: number
  /** Of each policy for each prompt; rounded up to whole rows. */
  readonly samples: number
  readonly source: PromptSource
  readonly sampling: Sampling
  readonly workshop: Workshop
  readonly signal: AbortSignal
  readonly reference: { readonly planned: PlannedModel; readonly model: MeasuredModel; readonly policy: Policy }
  readonly others: readonly { readonly planned: PlannedModel; readonly model: MeasuredModel }[]
  onProgress(what: string): void
}

/**
 * Samples what the frontier is estimated from: answers of the reference, and of trained policies at several distances from
 * it, all of them with their log-probabilities under each.
 */
export async function frontierSamples(request: FrontierRequest): Promise<FrontierSamples> {
  const { source, workshop, reference, signal, onProgress } = request
  const samples = inOneRow * Math.ceil(request.samples / inOneRow)
  const data = await source.promptsOf(await reference.policy.describe())
  const examples = await heldOutPrompts(data, request.prompts)
  const rewards: Record<string, RewardSource> = {}
  for (const [name, { entry, folder }] of Object.entries(reference.planned.rewards))
    rewards[name] = await workshop.reward(entry, folder)
  const { temperature, maxNewTokens, seed } = request.sampling
  // Top-p would sample another distribution than the log-probabilities are of.
  const sampling: Sampling = { temperature, maxNewTokens, seed }

  const chosen = nearFrontier(reference.model, request.others)
  const opened = []
  try {
    for (const { planned } of chosen) opened.push(await workshop.policy(planned.entry, planned.folder))
    const policies: Policy[] = [reference.policy, ...opened.map(({ policy }) => policy)]
    const names = [reference.planned.name, ...chosen.map(({ planned }) => planned.name)]
    const batches: (readonly Rollout[])[] = []
    for (const [at, policy] of policies.entries()) {
      signal.throwIfAborted()
      onProgress(`answers of ${names[at]}`)
      batches.push(await answersOf(policy, examples, samples, { ...sampling, seed: seed + at }))
    }
    const scored: Readonly<Record<string, Float64Array>>[] = []
    for (const batch of batches) {
      signal.throwIfAborted()
      onProgress('their rewards')
      const totals = Object.entries(rewards).map(
        async ([name, reward]) => [name, await totalsOf(reward, batch)] as const,
      )
      scored.push(Object.fromEntries(await Promise.all(totals)))
    }
    const logProbs: Float64Array[][] = []
    for (const [at, policy] of policies.entries()) {
      onProgress(`their log-probabilities under ${names[at]}`)
      const row: Float64Array[] = []
      for (const batch of batches) {
        signal.throwIfAborted()
        row.push(
          policies.length === 1 ? new Float64Array(batch.length) : await sequenceLogProbs(policy, batch, temperature),
        )
      }
      logProbs.push(row)
    }
    const partOf = (values: Float64Array, prompt: number): Float64Array =>
      values.slice(prompt * samples, (prompt + 1) * samples)
    const named = (parts: (name: string) => readonly Float64Array[]) =>
      Object.fromEntries(Object.keys(rewards).map((name) => [name, joined(parts(name))]))
    return {
      ...{ samplesPerPrompt: samples, policies: names.slice(1) },
      reference: examples.map((_, x) => ({ rewards: named((name) => [partOf(scored[0][name], x)]) })),
      mixture: examples.map((_, x): PromptCompletions => ({
        rewards: named((name) => scored.map((one) => partOf(one[name], x))),
        ...(policies.length > 1 && {
          logWeights: mixtureWeights(
            logProbs.map((row) => joined(row.map((values) => partOf(values, x)))),
            policies.map(() => samples),
          ),
        }),
      })),
    }
  } finally {
    for (const { close } of opened) await close()
  }
}

/**
 * The policies that a frontier is best explored from: those of which no mixture of others has as much of some reward at their
 * KL; of many, some that lie apart.
 */
function nearFrontier(base: MeasuredModel, others: FrontierRequest['others']): FrontierRequest['others'] {
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const start = { kl: 0, other: undefined }
  const outer = Object.keys(base.scores).flatMap((reward) => {
    const measured = others.flatMap((other) => {
      const scores = other.model.scores[reward]
      return scores ? [{ kl: mean(other.model.kl), reward: mean(scores), other }] : []
    })
    return upperHull([{ ...start, reward: mean(base.scores[reward]) }, ...measured])
  })
  const chosen = outer.filter(({ kl }) => kl > 0.05).sort((a, b) => a.kl - b.kl)
  const distinct = [...new Set(chosen.map(({ other }) => other))].filter((other) => other !== undefined)
  const every = Math.max(1, (distinct.length - 1) / (mostPolicies - 1))
  const places = Array.from({ length: mostPolicies }, (_, at) => Math.round(at * every))
  return places.filter((at) => at < distinct.length).map((at) => distinct[at])
}

async function answersOf(
  policy: Policy,
  examples: readonly Example[],
  samples: number,
  sampling: Sampling,
): Promise<readonly Rollout[]> {
  return sampleRollouts(policy, await textOf(policy), { examples, groupSize: samples, sampling, firstStream })
}

async function totalsOf(reward: RewardSource, rollouts: readonly Rollout[]): Promise<Float64Array> {
  return (await scoreRollouts(reward, rollouts)).totals
}

/** log π(y) of each completion at a temperature. */
async function sequenceLogProbs(
  policy: Reference,
  rollouts: readonly Rollout[],
  temperature: number,
): Promise<Float64Array> {
  const { logProbs } = await rolloutOutputs(policy, rollouts, ['logProbs'], {
    ...{ groupSize: inOneRow, microBatchSize: 4, temperature },
  })
  return rowSums(
    logProbs,
    rollouts.map(({ mask }) => mask),
  )
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let start = 0
  for (const part of parts) {
    whole.set(part, start)
    start += part.length
  }
  return whole
}
