import { z } from 'zod'

const files = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)])
const column = z.string().min(1).optional()

/** Options of the data plugin `files`. */
export const filesOptions = z.strictObject({
  train: files.describe(
    "Training file or files: .json, .jsonl or .ndjson, each also with .gz behind; rows in TRL's dataset formats.",
  ),
  evaluate: z
    .union([files, z.number().gt(0).lt(1), z.int().positive()])
    .optional()
    .describe(
      'Held-out file or files, or what to hold out of the training rows: a share below 1, or a number of rows (a seeded choice); default none.',
    ),
  limit: z
    .int()
    .positive()
    .optional()
    .describe('Use only the first rows of the training files, this many; default all.'),
  columns: z
    .strictObject({
      text: column,
      messages: column,
      prompt: column,
      completion: column,
      chosen: column,
      rejected: column,
      completions: column,
      labels: column,
    })
    .default({})
    .describe(
      'Where columns are found in files with other names: a name, a path (input.messages) or a pattern ({instruction}\\n{input}).',
    ),
  chatTemplate: z
    .string()
    .min(1)
    .optional()
    .describe("Chat template in place of the model's: a .jinja file, or the Jinja text itself."),
  assistantOnly: z
    .boolean()
    .default(false)
    .describe(
      "In conversations, train on the assistant's words alone; default false: all that belongs to the completion.",
    ),
})
export type FilesOptions = z.output<typeof filesOptions>
