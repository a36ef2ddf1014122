import type { Model, ModelSnapshot } from './contracts/model.js'
import type { Policy } from './contracts/policy.js'

/** Steps between two snapshots: a run that diverges loses at most twice as many. */
const EVERY = 10

/** A policy to go back to when a later step finds that it has diverged. */
export interface LastGood {
  /** To be called after each step that was completed. */
  afterStep(step: number): Promise<void>
  /** Puts the last good policy back, and its critic; gives its step, 0 for the policy as it was before training. */
  restore(): Promise<number>
}

/**
 * Keeps two snapshots. The policy of a step is found good by the step after it, which samples from it: so the newer one is
 * only a candidate until one more step was completed.
 */
export async function keepLastGood(policy: Policy, critic: Model | undefined, startStep: number): Promise<LastGood> {
  interface Kept {
    readonly step: number
    readonly policy: ModelSnapshot
    readonly critic: ModelSnapshot | undefined
  }
  const take = async (step: number): Promise<Kept> => ({
    ...{ step, policy: await policy.snapshot(), critic: await critic?.snapshot() },
  })
  let good = await take(startStep)
  let candidate: Kept | undefined
  return {
    async afterStep(step) {
      if (candidate && step > candidate.step) {
        good = candidate
        candidate = undefined
      }
      if (!candidate && step % EVERY === 0) candidate = await take(step)
    },
    async restore() {
      await policy.restore({ snapshot: good.policy })
      if (good.critic) await critic?.restore({ snapshot: good.critic })
      return good.step
    },
  }
}
