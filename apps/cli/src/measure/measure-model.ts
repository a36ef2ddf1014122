import { createBus } from '@collimate/core'
import type { Policy, Reference, RewardSource, Sampling } from '@collimate/core'
import { evaluateRollouts } from '@collimate/rollouts'
import type { Evaluated } from '@collimate/rollouts'
import type { PromptSource } from './prompt-source.js'

/** Prompts whose reference log-probs are computed at once. */
export const microBatchSize = 16

export interface MeasureRequest {
  readonly policy: Policy
  readonly reference?: Reference
  readonly rewards: Readonly<Record<string, RewardSource>>
  readonly prompts: PromptSource
  readonly sampling: Sampling
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

/** Answers the prompts with a policy, and measures the answers. */
export async function measureModel(request: MeasureRequest): Promise<Evaluated> {
  const { policy, reference, rewards, prompts, sampling, signal, onProgress } = request
  const data = await prompts.promptsOf(await policy.describe())
  const bus = createBus()
  const ends = bus.on('progress.made', ({ done, total }) => onProgress?.(done, total))
  try {
    return await evaluateRollouts(
      { bus, policy, data, signal },
      { prompts: data.evaluationLength, sampling, rewards, microBatchSize, ...(reference && { reference }) },
    )
  } finally {
    ends()
  }
}
