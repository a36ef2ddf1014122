/** GPT-2's characters for the 256 bytes (Radford et al. 2019, encoder.py): printable ones stand for themselves. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  const printable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173)
  let moved = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : moved++))
})()

/** What splits a text into words before merging, GPT-2's pattern. */
export const GPT2_WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** The content of tokenizer.json for a byte-level BPE in GPT-2's manner. */
export function byteLevelTokenizer(parts: {
  vocabulary: Readonly<Record<string, number>>
  /** Pairs as `left right`, the earlier the stronger. */
  merges: readonly string[]
  specialTokens: readonly { readonly text: string; readonly id: number }[]
  addPrefixSpace: boolean
}): Readonly<Record<string, unknown>> {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: parts.addPrefixSpace, trim_offsets: true, use_regex: true }
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: parts.specialTokens.map(({ text, id }) => ({ id, content: text, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: parts.vocabulary,
      merges: parts.merges,
    },
  }
}
