import { CollimateError, type DataRequest, type DataSource } from '@collimate/core'
import { prepareExamples, type PreparedSplit } from '@collimate/data'

/** Columns by name: those of TRL's dataset types, and any others. */
export type Row = Readonly<Record<string, unknown>>

/** The rows of both splits, for a seed. */
export type MakeRows = (seed: number) => { readonly train: readonly Row[]; readonly evaluation: readonly Row[] }

/** The columns that a type of dataset reads; others are kept, for rewards and evaluators to look at. */
const columns: Readonly<Record<DataRequest['type'], readonly string[]>> = {
  'language-modeling': ['text'],
  'prompt-only': ['prompt'],
  'prompt-completion': ['prompt', 'completion'],
  preference: ['prompt', 'chosen', 'rejected'],
  stepwise: ['prompt', 'completions', 'labels'],
}
const known = new Set(Object.values(columns).flat())

/**
 * A source of rows that are made in memory. It opens, tokenises, and then hands out examples by index; their order is not its
 * business: the runner asks for rows in an order that depends on the experiment's seed alone.
 */
export function memorySource(make: MakeRows): DataSource {
  let splits: { readonly train: PreparedSplit; readonly evaluation?: PreparedSplit } | undefined
  return {
    async open(request) {
      // Which tokens a text becomes, what is masked, cut or left out: the same for all sources.
      const prepare = (rows: readonly Row[]) =>
        prepareExamples(
          rows.map((row, i) => placed(row, i, request)),
          request,
        )
      const { train, evaluation } = make(request.seed)
      splits = {
        train: await prepare(train),
        ...(evaluation.length > 0 && { evaluation: await prepare(evaluation) }),
      }
      return {
        train: splits.train.info,
        ...(splits.evaluation && { evaluation: splits.evaluation.info }),
        dropped: splits.train.dropped,
      }
    },
    async read({ split, indices }) {
      if (splits === undefined)
        throw new CollimateError('COLLIMATE_DATA_NOT_OPEN', '__name__: read before open', { hint: 'open it first' })
      const examples = splits[split]?.examples ?? []
      return indices.map((index) => {
        if (index in examples) return examples[index]
        throw new CollimateError(
          'COLLIMATE_DATA_RANGE',
          `__name__: there is no ${split} row ${index} of ${examples.length}`,
        )
      })
    },
    async close() {
      splits = undefined
    },
  }
}

/** `file` and `line` are what an error about a row names; columns of other dataset types are left away. */
function placed(row: Row, index: number, { type }: DataRequest) {
  const value = Object.fromEntries(
    Object.entries(row).filter(([name]) => !known.has(name) || columns[type].includes(name)),
  )
  return { value, file: '__name__', line: index + 1, index }
}
