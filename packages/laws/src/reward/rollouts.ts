import type { Scorable, TokenizerFiles } from '@collimate/core'
import { createTokenizer, trainByteBpe } from '@collimate/data'
import fc, { type Arbitrary } from 'fast-check'

/** The other columns of a data row. */
export type Columns = Readonly<Record<string, unknown>>

interface Parts {
  readonly texts?: readonly string[]
  readonly columns?: Arbitrary<Columns> | readonly Columns[]
  readonly tokenizer?: TokenizerFiles
}

const prompts = ['What is 2 + 2?', 'Tell me about cats.', 'Write JSON.', 'Repeat: yes']
const answers = [
  '4',
  'The answer is 4.',
  'Cats sleep. They also purr.',
  ' yes',
  'Step 1: add.\nStep 2: say 4.',
  '{"a": [1, 2]}',
  'No no no no',
  '# Title\n\n- point\n- point',
  '',
]

/** Of a row of a dataset nobody knows how it ended. */
const endedBy = fc.constantFrom('stop' as const, 'length' as const, undefined)

const anyOf = (columns: Parts['columns'] = [{}]): Arbitrary<Columns> =>
  'generate' in columns ? columns : fc.constantFrom(...columns)

let usual: TokenizerFiles | undefined
const usualFiles = (): TokenizerFiles => (usual ??= trainByteBpe([...prompts, ...answers], { vocabularySize: 300 }))

/** Several rollouts with their ids; the columns are those that the source reads. */
export function rolloutsOf({ texts = answers, columns, tokenizer }: Parts): Arbitrary<Scorable[]> {
  const parts = fc.record({
    prompt: fc.constantFrom(...prompts),
    completion: fc.constantFrom(...texts),
    columns: anyOf(columns),
    endedBy,
  })
  return fc.array(
    parts.map((one) => scorable(one, tokenizer)),
    { minLength: 1, maxLength: 6 },
  )
}

/** Texts as no dataset has them, and as models write them all the same: a source may refuse them, not fall over them. */
export function odd({ columns, tokenizer }: Parts): Arbitrary<Scorable[]> {
  const text = fc.oneof(
    fc.constantFrom('', ' ', '\n\n', '\u0000', '\ud83d', '(((((', '\\', '"', '{"a":', '1e999', 'NaN', 'a'.repeat(5000)),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  const parts = fc.record({ prompt: text, completion: text, columns: anyOf(columns), endedBy })
  return fc.array(
    parts.map((one) => scorable(one, tokenizer)),
    { minLength: 1, maxLength: 3 },
  )
}

interface Texts extends Pick<Scorable, 'columns' | 'endedBy'> {
  readonly prompt: string
  readonly completion: string
}

function scorable({ prompt, completion, columns, endedBy: how }: Texts, files = usualFiles()): Scorable {
  const tokenizer = createTokenizer(files)
  const coded = (text: string) => ({ ids: tokenizer.encode(text), text })
  return { prompt: coded(prompt), completion: coded(completion), columns, ...(how && { endedBy: how }) }
}

/** Rollouts as people read them. */
export const shownRollouts = (rollouts: readonly Scorable[]): string =>
  rollouts
    .map(({ prompt, completion, columns, endedBy: how }) => {
      const given = Object.keys(columns).length > 0 ? ` with ${JSON.stringify(columns)}` : ''
      return `${cut(prompt.text)} → ${cut(completion.text)} (${completion.ids.length} tokens${how ? `, ended by ${how}` : ''})${given}`
    })
    .join('\n')

const cut = (text: string): string => {
  const shown = JSON.stringify(text)
  return shown.length > 80 ? `${shown.slice(0, 76)}..." (${text.length} characters)` : shown
}
