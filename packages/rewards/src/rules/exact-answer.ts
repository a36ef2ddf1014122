import { z } from 'zod'
import { columnText } from '../column.js'
import type { ReadyRule } from '../ready-rule.js'
import { finalAnswer, GSM8K_MARK } from './final-answer.js'

const options = z.strictObject({
  column: z.string().min(1).default('answer').describe('column of the data row with the right answer; default answer'),
  mark: z
    .string()
    .default(GSM8K_MARK)
    .describe(
      `what stands before the final answer, in completions and in the column; a text without it is the answer; default ${GSM8K_MARK}`,
    ),
  ignoreCase: z.boolean().default(false).describe('capital and small letters are the same; default false'),
})

/**
 * 1 where the final answer of the completion is that of the data row, else 0; null where the row says null. Answers are
 * compared as texts: white space at the ends and doubled does not count, nor do thousands separators (1,000 is 1000) and a
 * full stop at the end. As the grader of GSM8K (Cobbe et al., arXiv 2110.14168), which also reads what follows `####`.
 */
export const exactAnswer: ReadyRule<typeof options> = {
  options,
  create:
    ({ column, mark, ignoreCase }) =>
    (input) => {
      const right = columnText(input, column)
      if (right === null) return null
      const said = [input.completion, right].map((text) => {
        const answer = plain(finalAnswer(text, mark))
        return ignoreCase ? answer.toLowerCase() : answer
      })
      return said[0] === said[1] ? 1 : 0
    },
}

const plain = (answer: string): string =>
  answer
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .replace(/(?<=\d),(?=\d{3}(?!\d))/g, '')
    .replace(/\s*\.$/, '')
