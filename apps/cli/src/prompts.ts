import { readFile } from 'node:fs/promises'
import { CollimateError } from '@collimate/core'
import type { Example } from '@collimate/core'
import { chatTemplate, columnReader, datasetRow, readRows, tokenizeRow } from '@collimate/data'
import type { SourceRow, Tokenizer } from '@collimate/data'

/** Prompts given one by one. */
export function promptRows(texts: readonly string[]): SourceRow[] {
  return texts.map((prompt, index) => ({ value: { prompt }, file: '--prompt', line: index + 1, index }))
}

/** Prompts of a file: a line each of a `.txt`, else rows with a column `prompt` (or preference rows, whose prompt is meant). */
export async function readPrompts(file: string): Promise<SourceRow[]> {
  const rows: SourceRow[] = []
  if (!file.endsWith('.txt')) {
    for await (const row of readRows(file)) rows.push(row)
    return rows
  }
  const lines = (await readText(file)).split(/\r?\n/)
  for (const [at, prompt] of lines.entries()) {
    if (prompt.trim() !== '') rows.push({ value: { prompt }, file, line: at + 1, index: rows.length })
  }
  if (rows.length === 0) throw new CollimateError('COLLIMATE_DATA_FILE_EMPTY', `${file} has no prompt`)
  return rows
}

/** Tokenises prompts; with `chat` a text is what the user says, in the words of the model's chat template. */
export function tokenizePrompts(rows: readonly SourceRow[], tokenizer: Tokenizer, chat: boolean): Example[] {
  const source = tokenizer.chatTemplate
  if (chat && source === undefined) {
    throw new CollimateError('COLLIMATE_TEMPLATE_MISSING', 'the model has no chat template', {
      hint: 'leave --chat out',
    })
  }
  const template = source === undefined ? undefined : chatTemplate(source, tokenizer.specialTokens)
  const options = { tokenizer, template, maxLength: null, truncation: 'keep_start' } as const
  return rows.map((row) => {
    const asked = row.value['prompt']
    const said = chat && typeof asked === 'string' ? { ...row, value: { ...row.value, prompt: userSays(asked) } } : row
    const read = datasetRow(said, 'prompt-only', columnReader())
    const result = read === 'prompts_differ' ? { dropped: read } : tokenizeRow(read, options)
    if ('example' in result) return result.example
    const why = result.dropped === 'prompts_differ' ? 'the two sides do not share a prompt' : 'the prompt is empty'
    throw new CollimateError('COLLIMATE_PROMPT_EMPTY', `${row.file}, line ${row.line}: ${why}`)
  })
}

const userSays = (content: string) => [{ role: 'user', content }]

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw missing
      ? new CollimateError('COLLIMATE_DATA_FILE_MISSING', `there is no file ${file}`, { cause })
      : new CollimateError('COLLIMATE_DATA_FILE_UNREADABLE', `${file} cannot be read`, { cause })
  }
}
