type Json = Readonly<Record<string, unknown>>

/**
 * The content of tokenizer.json changed where the JavaScript library reads it differently from the Rust one:
 * - `Digits` splits at every numeric character, not only at decimal digits;
 * - characters outside the alphabet of a byte-level BPE without an unknown token are removed before merging, so that their
 *   neighbours merge.
 *
 * And one change where both are wrong: special tokens are found in a text as they are written, also where the file calls
 * them `normalized` and its normaliser would then hide them.
 */
export function asRustReads(tokenizer: Json): Json {
  const added = (tokenizer.added_tokens ?? []) as readonly Json[]
  const steps = [tokenizer.pre_tokenizer].flat().filter((step) => step != null) as Json[]
  const preTokenizers = [...steps.map(withAllDigits), ...unknownRemoved(tokenizer)]
  return {
    ...tokenizer,
    added_tokens: added.map((token) => (token.special === true ? { ...token, normalized: false } : token)),
    ...(steps.length > 0 && { pre_tokenizer: { type: 'Sequence', pretokenizers: preTokenizers } }),
  }
}

function withAllDigits(step: Json): Json {
  if (step.type === 'Sequence')
    return { ...step, pretokenizers: (step.pretokenizers as readonly Json[]).map(withAllDigits) }
  if (step.type !== 'Digits') return step
  const pattern = { Regex: step.individual_digits === true ? '\\p{N}' : '\\p{N}+' }
  return { type: 'Split', pattern, behavior: 'Isolated', invert: false }
}

function unknownRemoved({ model, pre_tokenizer }: Json): Json[] {
  const { type, unk_token, byte_fallback, vocab } = (model ?? {}) as Json
  const byteLevel = JSON.stringify(pre_tokenizer ?? null).includes('"ByteLevel"')
  if (type !== 'BPE' || unk_token != null || byte_fallback === true || !byteLevel) return []
  const alphabet = Object.keys(vocab as object).filter((token) => token.length === 1)
  if (alphabet.length >= 256) return []
  const known = alphabet.map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  return [{ type: 'Replace', pattern: { Regex: `[^${known}]` }, content: '' }]
}
