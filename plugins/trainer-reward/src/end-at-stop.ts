import type { Example } from '@collimate/core'

/**
 * An example whose completions end with their last token that ends a completion, where they have one. A completion that is
 * sampled ends there; a chat template may write something behind it, such as a line break, and a reward model that had learnt
 * to read its score from that would never see it again.
 */
export function endAtStop(example: Example, eosTokens: readonly number[]): Example {
  const lengths = example.completions.map((ids) => {
    const last = ids.findLastIndex((id) => eosTokens.includes(id))
    return last === -1 ? ids.length : last + 1
  })
  if (example.completions.every((ids, at) => ids.length === lengths[at])) return example
  const { completions, masks } = example
  return {
    ...example,
    completions: completions.map((ids, at) => ids.slice(0, lengths[at])),
    ...(masks && { masks: masks.map((mask, at) => mask.slice(0, lengths[at])) }),
  }
}
