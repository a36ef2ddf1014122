import { readFile } from 'node:fs/promises'
import { CollimateError } from '@collimate/core'
import type { DataInfo, DataRequest, DataSource, PluginContext } from '@collimate/core'
import { columnReader, createTokenizer, prepareExamples, readRows } from '@collimate/data'
import type { PreparedSplit, SourceRow } from '@collimate/data'
import type { FilesOptions } from './options.js'
import { splitRows } from './split-rows.js'

type Surroundings = Pick<PluginContext, 'bus' | 'path' | 'signal'>

/** Examples from JSON and JSONL files. Everything is tokenised when it is opened and kept in memory. */
export function filesSource(options: FilesOptions, { bus, path, signal }: Surroundings): DataSource {
  columnReader(options.columns)
  let splits: { train: PreparedSplit; evaluation?: PreparedSplit } | undefined

  return {
    async open(request) {
      const chatTemplate = await templateText(options.chatTemplate, path)
      const rows = await readSplits(options, path, request.seed)
      const total = rows.train.length + rows.evaluation.length
      let before = 0
      const prepare = async (part: readonly SourceRow[]): Promise<PreparedSplit> => {
        const onProgress = (done: number): void => {
          if (done % 1024 === 0 || done === part.length)
            bus.emit('progress.made', { phase: 'tokenizing', done: before + done, total, unit: 'rows' })
        }
        const { columns, assistantOnly } = options
        const split = await prepareExamples(part, request, { columns, chatTemplate, assistantOnly, onProgress, signal })
        before += part.length
        return split
      }
      const train = await prepare(rows.train)
      splits = { train, ...(rows.evaluation.length > 0 && { evaluation: await prepare(rows.evaluation) }) }
      warn(bus, request, Object.values(splits))
      return describe(splits)
    },

    async read({ split, indices }) {
      const examples = splits?.[split]?.examples
      if (splits === undefined)
        throw new CollimateError('COLLIMATE_DATA_NOT_OPEN', 'the data was read before it was opened')
      return indices.map((index) => {
        const example = examples?.[index]
        if (example !== undefined) return example
        throw new CollimateError(
          'COLLIMATE_DATA_RANGE',
          `example ${index} of ${examples?.length ?? 0} in the ${split} split`,
        )
      })
    },

    async close() {
      splits = undefined
    },
  }
}

function describe({ train, evaluation }: { train: PreparedSplit; evaluation?: PreparedSplit }): DataInfo {
  const dropped: Record<string, number> = { ...train.dropped }
  for (const [reason, count] of Object.entries(evaluation?.dropped ?? {}))
    dropped[reason] = (dropped[reason] ?? 0) + count
  return { train: train.info, ...(evaluation && { evaluation: evaluation.info }), dropped }
}

async function readSplits(options: FilesOptions, path: Surroundings['path'], seed: number) {
  const train = await rowsOf(options.train, path, options.limit)
  if (typeof options.evaluate === 'number') return splitRows(train, options.evaluate, seed)
  return { train, evaluation: options.evaluate === undefined ? [] : await rowsOf(options.evaluate, path) }
}

async function rowsOf(
  files: string | readonly string[],
  path: Surroundings['path'],
  limit = Infinity,
): Promise<SourceRow[]> {
  const rows: SourceRow[] = []
  for (const file of [files].flat()) {
    if (rows.length >= limit) break
    for await (const row of readRows(path(file))) {
      rows.push(row)
      if (rows.length >= limit) break
    }
  }
  return rows
}

/** What a template option says: Jinja as it is, or the file that holds it. */
async function templateText(option: string | undefined, path: Surroundings['path']): Promise<string | undefined> {
  if (option === undefined || /\{[{%]/.test(option)) return option
  return readFile(path(option), 'utf8').catch((cause: Error) => {
    throw new CollimateError(
      'COLLIMATE_DATA_FILE_MISSING',
      `chatTemplate: ${path(option)} cannot be read: ${cause.message}`,
      {
        hint: 'give a Jinja file, or the template itself',
        cause,
      },
    )
  })
}

function warn(bus: Surroundings['bus'], { tokenizer, type }: DataRequest, splits: readonly PreparedSplit[]): void {
  const cut = splits.reduce((sum, { promptsCut }) => sum + promptsCut, 0)
  if (cut > 0) {
    bus.emit('warning.raised', {
      code: 'COLLIMATE_PROMPT_CUT',
      message: `in ${cut} rows tokens merge across the border of prompt and completion: the completion begins where they part, as in TRL`,
    })
  }
  if (type !== 'prompt-only' && createTokenizer(tokenizer).eosToken === undefined) {
    bus.emit('warning.raised', {
      code: 'COLLIMATE_NO_END_TOKEN',
      message: 'the tokenizer names no end-of-sequence token, so completions of plain text have no end to learn',
    })
  }
}
