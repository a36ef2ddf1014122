import { CollimateError } from '@collimate/core'
import type { DatasetType } from '@collimate/core'
import type { Column, ColumnReader } from './columns.js'
import { splitPair } from './implicit-prompt.js'
import { asPart } from './messages.js'
import type { Part } from './messages.js'
import { place } from './read-rows.js'
import type { SourceRow } from './read-rows.js'
import { stepwiseColumns } from './stepwise-columns.js'

/** A row in the form of its dataset type: all parts are texts, or all are messages. */
export interface DatasetRow {
  readonly source: SourceRow
  /** Empty text or no messages for language modelling. */
  readonly prompt: Part
  /**
   * None for prompts only, one for language modelling and prompt-completion, chosen and rejected for a preference, the steps
   * of stepwise data.
   */
  readonly completions: readonly Part[]
  /** Stepwise data: 1 for each step that is right, 0 for each that is wrong. */
  readonly labels?: readonly (0 | 1)[]
  /** The row's other columns. */
  readonly columns: Readonly<Record<string, unknown>>
}

const NEEDS: Readonly<Record<DatasetType, string>> = {
  'language-modeling': '`text` or `messages`',
  'prompt-only': '`prompt`',
  'prompt-completion': '`prompt` and `completion`',
  preference: '`chosen` and `rejected` (and `prompt`, where they do not begin with it)',
  stepwise: '`prompt`, `completions` and `labels`',
}

/**
 * The dataset type of a row by its columns, as TRL tells them apart (its docs, "Dataset formats and types"); undefined
 * where the columns are those of none.
 */
export function detectDatasetType(row: SourceRow, columns: ColumnReader): DatasetType | undefined {
  const has = (column: Column): boolean => columns.get(row, column) !== undefined
  if (has('chosen') && has('rejected')) return 'preference'
  if (has('prompt') && has('completion')) return 'prompt-completion'
  if (has('text') || has('messages') || row.value.conversations !== undefined) return 'language-modeling'
  if (has('prompt') && has('completions') && has('labels')) return 'stepwise'
  return has('prompt') ? 'prompt-only' : undefined
}

/**
 * Reads a row as a dataset type. A preference row also serves where prompts or prompts with completions are asked for: its
 * prompt, and its prompt with the chosen answer. Where prompts with completions are asked for, a row of plain text serves
 * too: a completion without a prompt. 'prompts_differ': a pair whose sides do not share a prompt.
 *
 * Errors name file, line and field: COLLIMATE_DATA_FIELD_MISSING, COLLIMATE_DATA_FIELD_INVALID.
 */
export function datasetRow(source: SourceRow, type: DatasetType, columns: ColumnReader): DatasetRow | 'prompts_differ' {
  const read = (column: Column): Part | undefined => {
    const value = columns.get(source, column)
    if (value === undefined || value === null) return undefined
    return asPart(value) ?? refuse(source, columns.nameOf(column), value)
  }
  const need = (column: Column): Part => read(column) ?? missing(source, column, type, columns)
  const others = (...used: Column[]): Readonly<Record<string, unknown>> => columns.others(source, used)

  const detected = detectDatasetType(source, columns)
  if (type === 'language-modeling' || (type === 'prompt-completion' && detected === 'language-modeling')) {
    const text = read('text')
    if (text !== undefined)
      return { source, prompt: typeof text === 'string' ? '' : [], completions: [text], columns: others('text') }
    const messages = read('messages') ?? asPart(source.value.conversations) ?? missing(source, 'text', type, columns)
    if (typeof messages === 'string') refuse(source, columns.nameOf('messages'), messages)
    const { conversations: _, ...rest } = others('messages')
    return { source, prompt: [], completions: [messages], columns: rest }
  }
  if (type === 'stepwise') {
    const prompt = need('prompt')
    if (typeof prompt !== 'string') refuse(source, columns.nameOf('prompt'), prompt)
    for (const column of ['completions', 'labels'] as const)
      if (columns.get(source, column) == null) missing(source, column, type, columns)
    const { completions, labels } = stepwiseColumns(source, columns)
    return { source, prompt, completions, labels, columns: others('prompt', 'completions', 'labels') }
  }
  if (type === 'preference') return preferenceRow(source, columns, read('prompt'), need('chosen'), need('rejected'))

  const isPreference = columns.get(source, 'completion') === undefined && detected === 'preference'
  if (isPreference && (type === 'prompt-completion' || read('prompt') === undefined)) {
    const row = preferenceRow(source, columns, read('prompt'), need('chosen'), need('rejected'))
    if (row === 'prompts_differ') return row
    return { ...row, completions: type === 'prompt-only' ? [] : row.completions.slice(0, 1) }
  }
  if (type === 'prompt-only') return { source, prompt: need('prompt'), completions: [], columns: others('prompt') }
  const [prompt, completion] = alike(need('prompt'), [need('completion')])
  return { source, prompt, completions: completion, columns: others('prompt', 'completion') }
}

function preferenceRow(
  source: SourceRow,
  columns: ColumnReader,
  prompt: Part | undefined,
  chosen: Part,
  rejected: Part,
): DatasetRow | 'prompts_differ' {
  const rest = columns.others(source, ['prompt', 'chosen', 'rejected'])
  // Some files have a text prompt beside conversations that begin with it: TRL takes the conversations' own.
  const repeats = prompt === undefined || (typeof prompt === 'string' && typeof chosen !== 'string')
  const pair = repeats ? splitPair(chosen, rejected) : 'prompts_differ'
  if (pair !== 'prompts_differ') {
    return { source, prompt: pair.prompt, completions: [pair.chosen, pair.rejected], columns: rest }
  }
  if (prompt === undefined) return pair
  const [shared, completions] = alike(prompt, [chosen, rejected])
  return { source, prompt: shared, completions, columns: rest }
}

/** Makes prompt and completions all texts or all messages: a text among messages is what the user or assistant says. */
function alike(prompt: Part, completions: readonly Part[]): [Part, readonly Part[]] {
  if ([prompt, ...completions].every((part) => typeof part === 'string')) return [prompt, completions]
  const messages = (part: Part, role: string): Part => (typeof part === 'string' ? [{ role, content: part }] : part)
  return [messages(prompt, 'user'), completions.map((completion) => messages(completion, 'assistant'))]
}

function missing(source: SourceRow, column: Column, type: DatasetType, columns: ColumnReader): never {
  const names = Object.keys(source.value)
  const other = detectDatasetType(source, columns)
  const looks = other !== undefined && other !== type ? `; that is ${other} data` : ''
  throw new CollimateError(
    'COLLIMATE_DATA_FIELD_MISSING',
    `${place(source)}: field \`${columns.nameOf(column)}\` is missing: ${type} rows need ${NEEDS[type]}`,
    { hint: `the row has: ${names.join(', ') || 'nothing'}${looks}; give other names with the option \`columns\`` },
  )
}

function refuse(source: SourceRow, name: string, value: unknown): never {
  const found = Array.isArray(value) ? 'another list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
  throw new CollimateError(
    'COLLIMATE_DATA_FIELD_INVALID',
    `${place(source)}: field \`${name}\` must be a text or a list of messages {role, content}, found ${found}`,
    { hint: 'correct the row, or map the column with the option `columns`' },
  )
}
