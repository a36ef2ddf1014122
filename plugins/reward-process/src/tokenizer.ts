import { CollimateError } from '@collimate/core'
import type { Bus, TokenizerFiles } from '@collimate/core'

/**
 * The tokenizer of the policy, by whose tokens completions are written; undefined where there is no policy, as outside of
 * experiments, or it has none.
 */
export async function policyTokenizer(bus: Pick<Bus, 'call'>): Promise<TokenizerFiles | undefined> {
  try {
    return (await bus.call('policy.describe', undefined)).tokenizer
  } catch (error) {
    if (error instanceof CollimateError && error.code === 'COLLIMATE_CALL_UNSERVED') return undefined
    throw error
  }
}

/**
 * A process reward model is given the ids that the policy wrote: they must mean the same to it.
 *
 * @throws CollimateError COLLIMATE_REWARD_TOKENIZER_DIFFERS
 */
export function checkSameTokenizer(policy: TokenizerFiles | undefined, model: TokenizerFiles | undefined): void {
  if (!policy || !model || policy === model) return
  const [ours, theirs] = [tokensOf(policy), tokensOf(model)]
  if (ours.size === theirs.size && [...ours].every(([id, token]) => theirs.get(id) === token)) return
  throw new CollimateError(
    'COLLIMATE_REWARD_TOKENIZER_DIFFERS',
    'the process reward model has another tokenizer than the policy, so that the tokens of a completion mean something else to it',
    { hint: 'train a process reward model that begins from the policy, or from a model with its tokenizer' },
  )
}

/** What each id stands for: all that matters where ids are passed on. */
function tokensOf({ tokenizer }: TokenizerFiles): ReadonlyMap<number, string> {
  const { vocab } = (tokenizer.model ?? {}) as {
    readonly vocab?: Readonly<Record<string, number>> | [string, number][]
  }
  const added = (tokenizer.added_tokens ?? []) as readonly { readonly id: number; readonly content: string }[]
  const tokens = Array.isArray(vocab)
    ? vocab.map(([token], id) => [id, token] as const)
    : Object.entries(vocab ?? {}).map(([token, id]) => [id, token] as const)
  return new Map([...tokens, ...added.map(({ id, content }) => [id, content] as const)])
}
