import { z } from 'zod'
import { columnText, invalidColumn } from '../column.js'
import type { ReadyRule } from '../ready-rule.js'
import { finalAnswer, GSM8K_MARK } from './final-answer.js'
import { lastNumber } from './last-number.js'

const options = z.strictObject({
  column: z.string().min(1).default('answer').describe('column of the data row with the right answer; default answer'),
  mark: z
    .string()
    .default(GSM8K_MARK)
    .describe(
      `what stands before the final answer, in completions and in the column; without it the last number of the text counts; default ${GSM8K_MARK}`,
    ),
  tolerance: z
    .number()
    .nonnegative()
    .default(0)
    .describe('greatest difference between numbers that count as equal; default 0'),
})

/**
 * 1 where the final number of the completion is that of the data row, else 0, also for a completion without a number; null
 * where the row says null. The final number is the last one of the line behind the last mark, or of the whole text where there
 * is no mark. `1,000`, `$1000` and `1000.00` are equal.
 */
export const numericAnswer: ReadyRule<typeof options> = {
  options,
  create:
    ({ column, mark, tolerance }) =>
    (input) => {
      const answer = columnText(input, column)
      if (answer === null) return null
      const right = lastNumber(finalAnswer(answer, mark))
      if (right === undefined)
        throw invalidColumn(
          `column \`${column}\` holds no number: ${JSON.stringify(answer.slice(0, 80))}`,
          'name the column with the right answer: { rule: numeric-answer, column: ... }',
        )
      const said = lastNumber(finalAnswer(input.completion, mark))
      if (said === undefined) return 0
      return said === right || (tolerance > 0 && Math.abs(Number(said) - Number(right)) <= tolerance) ? 1 : 0
    },
}
