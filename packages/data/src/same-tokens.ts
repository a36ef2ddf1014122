import { CollimateError } from '@collimate/core'
import type { Bus, TokenizerFiles } from '@collimate/core'

/**
 * The tokenizer of the policy, by whose tokens completions are written; undefined where there is no policy (yet), as outside
 * of experiments, or it has none.
 */
export async function policyTokenizer(bus: Pick<Bus, 'call'>): Promise<TokenizerFiles | undefined> {
  try {
    return (await bus.call('policy.describe', undefined)).tokenizer
  } catch (error) {
    if (error instanceof CollimateError && error.code === 'COLLIMATE_CALL_UNSERVED') return undefined
    throw error
  }
}

type Tokenizer = Pick<TokenizerFiles, 'tokenizer'>

/**
 * Refuses a reward model to which the ids that the policy wrote mean something else: an id must stand for the same token.
 * How texts are split into tokens may differ, since ids are passed on.
 *
 * @throws CollimateError COLLIMATE_REWARD_TOKENIZER_DIFFERS with the first id that differs
 */
export function requireSameTokens(
  policy: Tokenizer,
  model: Tokenizer,
  { what, hint }: { what: string; hint: string },
): void {
  const [ours, theirs] = [tokensOf(policy), tokensOf(model)]
  const ids = [...new Set([...ours.keys(), ...theirs.keys()])].sort((a, b) => a - b)
  const differing = ids.find((id) => ours.get(id) !== theirs.get(id))
  if (differing === undefined) return
  const [own, foreign] = [ours.get(differing), theirs.get(differing)].map((token) =>
    token === undefined ? 'nothing' : JSON.stringify(token),
  )
  throw new CollimateError(
    'COLLIMATE_REWARD_TOKENIZER_DIFFERS',
    `${what} has another tokenizer than the policy: id ${differing} is ${own} to the policy and ${foreign} to it`,
    { hint },
  )
}

/** What each id stands for. */
function tokensOf({ tokenizer }: Tokenizer): ReadonlyMap<number, string> {
  const { vocab } = (tokenizer.model ?? {}) as {
    readonly vocab?: Readonly<Record<string, number>> | [string, number][]
  }
  const added = (tokenizer.added_tokens ?? []) as readonly { readonly id: number; readonly content: string }[]
  const tokens = Array.isArray(vocab)
    ? vocab.map(([token], id) => [id, token] as const)
    : Object.entries(vocab ?? {}).map(([token, id]) => [id, token] as const)
  return new Map([...tokens, ...added.map(({ id, content }) => [id, content] as const)])
}
