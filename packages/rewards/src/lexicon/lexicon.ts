/** Valence of words and emoticons: small letters → −4 (most negative) to 4. */
export type Lexicon = ReadonlyMap<string, number>
