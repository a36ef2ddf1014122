import type { Tokenizer } from '@collimate/data'

/** Tokens before the first that decoding looks at, so that spaces between words come out right. */
const LOOK_BACK = 6
/** A character is at most four bytes, so at most four tokens: what is no character by then will not become one. */
const MOST_HELD = 4

/**
 * The text that each token adds. A character whose bytes stand in several tokens belongs to the token that completes it;
 * the texts one behind the other are the text of all. Time grows with the number of tokens, not with its square.
 */
export function tokenTexts(
  tokenizer: Pick<Tokenizer, 'decode'>,
  before: Int32Array,
  ids: Int32Array,
  options: { skipSpecialTokens: boolean },
): string[] {
  const seen = before.subarray(Math.max(0, before.length - LOOK_BACK))
  const all = Int32Array.of(...seen, ...ids)
  const decode = (start: number, end: number): string => tokenizer.decode(all.subarray(start, end), options)
  // From `start` on is decoded, up to `read` was told.
  let [start, read] = [0, seen.length]
  return Array.from(ids, (_, token) => {
    const end = seen.length + token + 1
    const [known, text] = [decode(start, read), decode(start, end)]
    const added = text.startsWith(known) ? text.slice(known.length) : decode(read, end)
    const complete = added !== '' && !added.endsWith('\ufffd')
    if (!complete && end - read < MOST_HELD && end < all.length) return ''
    ;[start, read] = [read, end]
    return added
  })
}
