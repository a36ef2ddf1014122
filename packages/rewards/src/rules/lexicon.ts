import { z } from 'zod'
import { defaultLexicon } from '../lexicon/default-lexicon.js'
import { readLexicon } from '../lexicon/read-lexicon.js'
import { sentiment } from '../lexicon/sentiment.js'
import type { ReadyRule } from '../ready-rule.js'

const options = z.strictObject({
  file: z
    .string()
    .min(1)
    .optional()
    .describe("lexicon in VADER's format: lines of token, tab, valence; default a small English one of our own"),
})

/** Sentiment of the completion, −1 to 1, 0 where no word of the lexicon stands in it: see `sentiment`. */
export const lexicon: ReadyRule<typeof options> = {
  options,
  create: async ({ file }, { path }) => {
    const words = file === undefined ? defaultLexicon : await readLexicon(path(file))
    return ({ completion }) => sentiment(completion, words)
  },
}
