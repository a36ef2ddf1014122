import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { answerLength } from './answer-length.js'

export { answerLength, measured } from './answer-length.js'
export type { AnswerLengthOptions } from './answer-length.js'

/** Unknown options are refused; each says its unit and default, which is what `collimate plugins __name__` prints. */
export const options = z.strictObject({
  prompts: z.int().positive().default(64).describe('most prompts to answer; default 64'),
  maxNewTokens: z.int().positive().default(64).describe('longest answer, tokens; default 64'),
})

export default definePlugin({
  name: '__name__',
  version: '0.1.0',
  // The versions of @collimate/core that it works with.
  engine: '^0.1.0',
  kind: 'evaluator',
  description: 'Mean length of the answers to held-out prompts',
  options,
  create: (chosen) => answerLength(chosen),
})
