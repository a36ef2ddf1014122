import type { Example, Policy, Reference, Rollout, Sampling } from '@collimate/core'
import { mixtureWeights } from '@collimate/report'
import type { FrontierSamples, MeasuredModel, PromptCompletions } from '@collimate/report'
import { heldOutPrompts, rolloutOutputs, rowSums, sampleRollouts, scoreRollouts, textOf } from '@collimate/rollouts'
import type { PromptSource } from '../measure/prompt-source.js'
import type { OpenPolicy, Workshop } from '../measure/workshop.js'
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
  const { source, workshop, reference } = request
  const data = await source.promptsOf(await reference.policy.describe())
  const examples = await heldOutPrompts(data, request.prompts)
  const chosen = nearFrontier(reference.model, request.others)
  const opened: OpenPolicy[] = []
  try {
    for (const { planned } of chosen) opened.push(await workshop.policy(planned.entry, planned.folder))
    const policies = [reference.policy, ...opened.map(({ policy }) => policy)]
    const names = [reference.planned.name, ...chosen.map(({ planned }) => planned.name)]
    const samples = inOneRow * Math.ceil(request.samples / inOneRow)
    const explored = await explore(request, { policies, names, examples, samples })
    return {
      ...promptByPrompt(explored, examples.length, samples),
      samplesPerPrompt: samples,
      policies: names.slice(1),
    }
  } finally {
    for (const { close } of opened) await close()
  }
}

/** Answers of several policies, prompt after prompt, each with its rewards. */
interface Explored {
  /** [policies] by the names of rewards, [prompts · samples]. */
  readonly rewards: readonly Readonly<Record<string, Float64Array>>[]
  /** [policies][policies whose answers they are] log π of each answer, [prompts · samples]. */
  readonly logProbs: readonly (readonly Float64Array[])[]
}

async function explore(
  { reference, sampling, workshop, signal, onProgress }: FrontierRequest,
  given: {
    readonly policies: readonly Policy[]
    readonly names: readonly string[]
    readonly examples: readonly Example[]
    readonly samples: number
  },
): Promise<Explored> {
  const { policies, names, examples, samples } = given
  const { temperature, maxNewTokens, seed } = sampling
  const batches: (readonly Rollout[])[] = []
  for (const [at, policy] of policies.entries()) {
    signal.throwIfAborted()
    onProgress(`answers of ${names[at]}`)
    // Top-p would sample another distribution than the log-probabilities are of.
    const own: Sampling = { temperature, maxNewTokens, seed: seed + at }
    batches.push(
      await sampleRollouts(policy, await textOf(policy), { examples, groupSize: samples, sampling: own, firstStream }),
    )
  }
  const rewards: Record<string, Float64Array>[] = batches.map(() => ({}))
  for (const [name, { entry, folder }] of Object.entries(reference.planned.rewards)) {
    onProgress(`their ${name}`)
    const source = await workshop.reward(entry, folder)
    for (const [at, batch] of batches.entries()) {
      signal.throwIfAborted()
      rewards[at][name] = (await scoreRollouts(source, batch)).totals
    }
  }
  const logProbs: Float64Array[][] = []
  for (const [at, policy] of policies.entries()) {
    onProgress(`their log-probabilities under ${names[at]}`)
    logProbs.push([])
    for (const [own, batch] of batches.entries()) {
      signal.throwIfAborted()
      // What a policy has sampled itself, it has scored already.
      logProbs[at].push(own === at ? sampledLogProbs(batch) : await sequenceLogProbs(policy, batch, temperature))
    }
  }
  return { rewards, logProbs }
}

/** The same for each prompt: answers of the reference, and answers of all with their weights. */
function promptByPrompt(
  { rewards, logProbs }: Explored,
  prompts: number,
  samples: number,
): Pick<FrontierSamples, 'reference' | 'mixture'> {
  const of = (prompt: number, parts: readonly Float64Array[]): Float64Array =>
    joined(parts.map((values) => values.slice(prompt * samples, (prompt + 1) * samples)))
  const rewardsOf = (prompt: number, from: Explored['rewards']): PromptCompletions['rewards'] =>
    Object.fromEntries(
      Object.keys(from[0]).map((name) => [
        name,
        of(
          prompt,
          from.map((one) => one[name]),
        ),
      ]),
    )
  const counts = rewards.map(() => samples)
  const all = Array.from({ length: prompts }, (_, prompt) => prompt)
  return {
    reference: all.map((prompt) => ({ rewards: rewardsOf(prompt, rewards.slice(0, 1)) })),
    mixture: all.map((prompt) => ({
      rewards: rewardsOf(prompt, rewards),
      logWeights: mixtureWeights(
        logProbs.map((row) => of(prompt, row)),
        counts,
      ),
    })),
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

/** log π(y) of each completion under the policy that sampled it. */
function sampledLogProbs(rollouts: readonly Rollout[]): Float64Array {
  return rowSums(
    rollouts.map(({ logProbs }) => logProbs),
    rollouts.map(({ mask }) => mask),
  )
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
