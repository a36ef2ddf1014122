import type { DataRequest, DataSource, DatasetType, Example, TokenizerFiles } from '@collimate/core'
import { trainByteBpe } from '@collimate/data'
import fc, { type Arbitrary } from 'fast-check'
import { codeOf } from '../refused.js'

/** A row as it stands in a file: TRL's columns and any others. */
export type Row = Readonly<Record<string, unknown>>

/** What every law of datasets is given. */
export interface DataSubject {
  create(rows: readonly Row[], held: number): DataSource | Promise<DataSource>
  readonly type: DatasetType
  /** The tokenizers that a law tries. */
  readonly tokenizers: readonly NamedTokenizer[]
  readonly rows: Arbitrary<Row>
}

export interface NamedTokenizer {
  readonly name: string
  readonly files: TokenizerFiles
}

const words = [
  'What is it',
  '?',
  ' It is what',
  ' it is.',
  'the cat',
  ' the cat sat on',
  ' the mat',
  'thermometer',
  '\n',
  ' ',
  ' é 猫',
]

/** Texts whose tokens merge across the border as often as not. */
export const text: Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
)
const prompt = text.filter((value) => value !== '')

/** Rows of a type with texts in TRL's columns, and one column of their own. */
export const rowsOf: Readonly<Record<DatasetType, Arbitrary<Row>>> = {
  'language-modeling': fc.record({ text: prompt, number: fc.nat(99) }),
  'prompt-only': fc.record({ prompt, number: fc.nat(99) }),
  'prompt-completion': fc.record({ prompt, completion: text, number: fc.nat(99) }),
  preference: fc.record({ prompt, chosen: text, rejected: text, number: fc.nat(99) }),
  stepwise: fc
    .tuple(prompt, fc.array(fc.tuple(text, fc.boolean()), { minLength: 1, maxLength: 3 }), fc.nat(99))
    .map(([question, steps, number]) => ({
      prompt: question,
      completions: steps.map(([step]) => step),
      labels: steps.map(([, label]) => label),
      number,
    })),
}

/** What is written behind each step. */
export const SEPARATOR = '\n'

/** The texts of a row: its prompt (empty for language modelling) and its completions. */
export function textsOf(row: Row, type: DatasetType): { prompt: string; completions: string[] } {
  const at = (column: string): string => String(row[column])
  if (type === 'language-modeling') return { prompt: '', completions: [at('text')] }
  if (type === 'prompt-only') return { prompt: at('prompt'), completions: [] }
  if (type === 'prompt-completion') return { prompt: at('prompt'), completions: [at('completion')] }
  if (type === 'stepwise')
    return {
      prompt: at('prompt'),
      completions: [
        stepsOf(row)
          .map(({ text }) => text)
          .join(''),
      ],
    }
  return { prompt: at('prompt'), completions: [at('chosen'), at('rejected')] }
}

/** The steps of a stepwise row, each with its separator, and whether it is right. */
export function stepsOf({ completions, labels }: Row): { text: string; label: number }[] {
  const said = labels as readonly boolean[]
  return (completions as readonly string[]).map((step, at) => ({ text: step + SEPARATOR, label: Number(said[at]) }))
}

export const isIdentical = (row: Row, type: DatasetType): boolean =>
  type === 'preference' && row.chosen === row.rejected

export const BEGINNING = '<|begin|>'

/** A byte-level tokenizer that pads with its end token, one that begins every text with a token, and one that pads with another. */
export function usualTokenizers(): NamedTokenizer[] {
  const plain = trainByteBpe(words, { vocabularySize: 320, specialTokens: [BEGINNING, '<|pad|>'] })
  const id = (plain.tokenizer.added_tokens as { id: number; content: string }[]).find(
    ({ content }) => content === BEGINNING,
  )?.id
  const begin = { SpecialToken: { id: BEGINNING, type_id: 0 } }
  const sequence = { Sequence: { id: 'A', type_id: 0 } }
  return [
    { name: 'pads with its end token', files: plain },
    {
      name: 'begins every text with a token',
      files: {
        tokenizer: {
          ...plain.tokenizer,
          post_processor: {
            type: 'TemplateProcessing',
            single: [begin, sequence],
            pair: [begin, sequence, { Sequence: { id: 'B', type_id: 1 } }],
            special_tokens: { [BEGINNING]: { id: BEGINNING, ids: [id], tokens: [BEGINNING] } },
          },
        },
        config: { ...plain.config, bos_token: BEGINNING },
      },
    },
    { name: 'pads with a token of its own', files: { ...plain, config: { ...plain.config, pad_token: '<|pad|>' } } },
  ]
}

/** What a source gives for rows. */
export interface Opened {
  readonly source: DataSource
  readonly train: readonly Example[]
  readonly evaluation: readonly Example[]
  readonly dropped: Readonly<Record<string, number>>
  /** Empty where nothing was left of the rows. */
  readonly fingerprint: string
}

export type Request = Partial<Omit<DataRequest, 'type' | 'tokenizer'>> & {
  readonly tokenizer: TokenizerFiles
  readonly held?: number
}

/** Opens a source over the rows, reads all of it, and closes it after the work. A source with nothing left counts as empty. */
export async function opened<T>(
  { create, type }: Pick<DataSubject, 'create' | 'type'>,
  rows: readonly Row[],
  { held = 0, ...request }: Request,
  work: (opened: Opened) => T | Promise<T>,
): Promise<T> {
  const source = await create(rows, held)
  try {
    const full: DataRequest = { type, maxLength: null, truncation: 'keep_start', seed: 0, ...request }
    const info = await source.open(full).catch((error: unknown) => {
      if (codeOf(error) === 'COLLIMATE_DATA_NOTHING_LEFT') return undefined
      throw error
    })
    const all = async (split: 'train' | 'evaluation', length = 0): Promise<readonly Example[]> =>
      length === 0 ? [] : source.read({ split, indices: Array.from({ length }, (_, i) => i) })
    return await work({
      source,
      train: await all('train', info?.train.length),
      evaluation: await all('evaluation', info?.evaluation?.length),
      dropped: info?.dropped ?? {},
      fingerprint: info?.train.fingerprint ?? '',
    })
  } finally {
    await source.close()
  }
}

/** Rows as people read them. */
export const shownRows = (rows: readonly Row[]): string => rows.map((row) => JSON.stringify(row)).join('\n')

export const shownIds = (ids: ArrayLike<number>): string => `[${Array.from(ids).join(' ')}]`
