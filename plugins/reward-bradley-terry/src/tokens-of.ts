import type { Scorable } from '@collimate/core'
import { commonPrefixLength } from '@collimate/data'
import type { Tokenizer } from '@collimate/data'

/** What a reward model is to read. */
export interface Tokens {
  readonly prompt: Int32Array
  readonly completion: Int32Array
}

/** The ids as they were sampled: those of the policy, with the token that ended the completion. */
export const sampledTokens = ({ prompt, completion }: Scorable): Tokens => ({
  prompt: prompt.ids,
  completion: completion.ids,
})

/**
 * The texts as training rows of them are tokenised: together, with the end-of-sequence token behind the completion unless it was
 * cut short.
 */
export function retokenised({ prompt, completion, endedBy }: Scorable, tokenizer: Tokenizer): Tokens {
  const end = tokenizer.eosToken?.text ?? ''
  const isEnded = endedBy === 'length' || completion.text.endsWith(end)
  const encode = (text: string) => tokenizer.encode(text, { beginning: true })
  const before = prompt.text === '' ? new Int32Array() : encode(prompt.text)
  const whole = encode(prompt.text + completion.text + (isEnded ? '' : end))
  const shared = commonPrefixLength(before, whole)
  return { prompt: whole.slice(0, shared), completion: whole.slice(shared) }
}

/** The last `maxLength` tokens: what is left out is the beginning of the prompt first. */
export function keepEnd({ prompt, completion }: Tokens, maxLength: number): Tokens {
  const last = (ids: Int32Array, count: number) => ids.slice(Math.max(0, ids.length - count))
  const kept = last(completion, maxLength)
  return { prompt: last(prompt, maxLength - kept.length), completion: kept }
}
