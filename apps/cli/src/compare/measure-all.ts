import { errorLine } from '@collimate/core'
import type { RewardSource, Sampling } from '@collimate/core'
import type { Measured, MeasuredModel } from '@collimate/report'
import { measureModel } from '../measure/measure-model.js'
import { promptSource } from '../measure/prompt-source.js'
import type { OpenPolicy, Workshop } from '../measure/workshop.js'
import type { Status } from '../status.js'
import { frontierSamples } from './frontier-samples.js'
import type { Plan, PlannedModel } from './plan.js'

export interface MeasureAllRequest {
  readonly plan: Plan & { readonly origin: NonNullable<Plan['origin']> }
  readonly prompts: number
  /** Prompts and samples of each that the frontier is estimated from; no samples, no frontier. */
  readonly frontier: { readonly prompts: number; readonly samples: number }
  readonly workshop: Workshop
  readonly status: Status
  readonly signal: AbortSignal
}

/**
 * Lets every model answer the same prompts with the same random numbers, one model after the other. A model that fails is left
 * out and noted.
 */
export async function measureAll(
  request: MeasureAllRequest,
): Promise<{ measured?: Measured; notes: readonly string[] }> {
  const { plan, workshop, status, signal } = request
  const { models, sampling } = plan
  const source = promptSource(plan.origin, request.prompts, workshop)
  const notes: string[] = []
  const references = new Map<string, OpenPolicy>()
  const found: { planned: PlannedModel; model: MeasuredModel; prompts: readonly string[] }[] = []

  async function measure(planned: PlannedModel, at: number): Promise<void> {
    const { name, entry, folder, reference, isReference } = planned
    const doing = `${at + 1} of ${models.length}: ${name} answers the prompts`
    status.show(doing)
    const opened = await workshop.policy(entry, folder)
    if (isReference) references.set(reference, opened)
    try {
      const rewards: Record<string, RewardSource> = {}
      for (const [reward, placed] of Object.entries(planned.rewards))
        rewards[reward] = await workshop.reward(placed.entry, placed.folder)
      const to = isReference ? undefined : references.get(reference)
      const evaluated = await measureModel({
        ...{ policy: opened.policy, rewards, prompts: source, sampling, signal },
        ...(to && { reference: to.policy }),
        onProgress: (done, total) => status.show(doing, `${done} of ${total}`),
      })
      const { rollouts } = evaluated
      found.push({
        planned,
        prompts: rollouts.map(({ prompt }) => prompt.text),
        model: {
          ...(planned.run !== undefined && { run: planned.run }),
          ...{ name, reference, isReference, scores: evaluated.rewards },
          kl: evaluated.kl ?? new Float64Array(rollouts.length),
          lengths: Float64Array.from(rollouts, ({ completion }) => completion.ids.length),
          cut: Float64Array.from(rollouts, ({ endedBy }) => Number(endedBy === 'length')),
          texts: rollouts.map(({ completion }) => completion.text),
        },
      })
    } finally {
      if (!isReference) await opened.close()
    }
  }

  for (const [at, planned] of models.entries()) {
    signal.throwIfAborted()
    if (!planned.isReference && !references.has(planned.reference)) continue
    try {
      await measure(planned, at)
    } catch (error) {
      if (signal.aborted) throw error
      const what = planned.isReference ? ', and what is measured against it,' : ''
      notes.push(`${planned.name}${what} is left out: ${errorLine(error)}`)
      references.delete(planned.reference)
    }
  }
  const [first] = found
  if (!first) return { notes }
  const frontier = await sampleFrontier()
  return {
    measured: {
      ...{ prompts: first.prompts, models: found.map(({ model }) => model), ...settings(sampling) },
      ...(frontier && { frontier }),
    },
    notes,
  }

  async function sampleFrontier(): Promise<Measured['frontier']> {
    const { samples, prompts } = request.frontier
    const base = found.find(({ planned }) => planned.isReference)
    if (samples === 0 || !base || Object.keys(base.planned.rewards).length === 0) return undefined
    if (sampling.temperature === 0) {
      notes.push('greedy answers have no frontier: it is of sampling policies')
      return undefined
    }
    try {
      return await frontierSamples({
        ...{ samples, prompts, source, sampling, workshop, signal },
        reference: { planned: base.planned, model: base.model, policy: references.get(base.planned.reference)!.policy },
        others: found.filter(({ planned }) => !planned.isReference && planned.reference === base.planned.reference),
        onProgress: (what) => status.show('sampling for the frontier', what),
      })
    } catch (error) {
      if (signal.aborted) throw error
      notes.push(`there is no frontier: ${errorLine(error)}`)
      return undefined
    }
  }
}

const settings = ({ maxNewTokens, temperature, topP = 1, seed }: Sampling) => ({
  maxNewTokens,
  temperature,
  topP,
  seed,
})
