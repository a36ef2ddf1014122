import { permutation, stream } from '@collimate/core'

/** Which pass over the rollouts of which step, both from 0. */
export interface Pass {
  readonly seed: number
  readonly step: number
  readonly epoch: number
  /** Passes of a step. */
  readonly epochs: number
}

/**
 * The prompts of a step, 0 to `prompts` − 1, in the mini-batches of one pass: each prompt once, in an order that depends on
 * seed, step and pass alone. All have one size, but for the last, and none is empty.
 */
export function miniBatches(prompts: number, count: number, { seed, step, epoch, epochs }: Pass): readonly number[][] {
  const order = Array.from(permutation(seed, stream('miniBatches', step * epochs + epoch), prompts))
  const size = Math.ceil(prompts / count)
  return Array.from({ length: Math.ceil(prompts / size) }, (_, at) => order.slice(at * size, (at + 1) * size))
}
