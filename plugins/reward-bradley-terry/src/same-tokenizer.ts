import { CollimateError } from '@collimate/core'
import type { TokenizerFiles } from '@collimate/core'

/** Parts of tokenizer.json that do not say what an id means. */
const harmless = ['version', 'truncation', 'padding', 'post_processor']

/**
 * Refuses ids that mean something else to a reward model than to the policy that gave them: COLLIMATE_REWARD_TOKENIZER_DIFFERS where the
 * two files tokenizer.json differ in more than what stands around a text.
 */
export function requireSameTokenizer(
  policy: Pick<TokenizerFiles, 'tokenizer'>,
  model: Pick<TokenizerFiles, 'tokenizer'>,
): void {
  const names = new Set([...Object.keys(policy.tokenizer), ...Object.keys(model.tokenizer)])
  const differing = [...names].filter(
    (name) =>
      !harmless.includes(name) &&
      canonical(policy.tokenizer[name] ?? null) !== canonical(model.tokenizer[name] ?? null),
  )
  if (differing.length === 0) return
  throw new CollimateError(
    'COLLIMATE_REWARD_TOKENIZER_DIFFERS',
    `the reward model has another tokenizer than the policy: tokenizer.json differs in ${differing.sort().join(', ')}`,
    { hint: 'set `retokenise: true` to tokenise the texts anew, or train the reward model from the policy’s own base' },
  )
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
