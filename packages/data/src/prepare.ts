import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { CollimateError } from '@collimate/core'
import type { DataRequest, DatasetType, Example, SplitInfo } from '@collimate/core'
import { chatTemplate } from './chat-template.js'
import { columnReader } from './columns.js'
import type { ColumnMapping } from './columns.js'
import { datasetRow } from './dataset-types.js'
import { packExamples } from './packing.js'
import type { SourceRow } from './read-rows.js'
import { createTokenizer } from './tokenizer.js'
import { tokenizeRow } from './tokenize.js'
import { tokenizeSteps } from './tokenize-steps.js'

export interface PrepareOptions {
  readonly columns?: ColumnMapping | undefined
  /** Chat template in place of the model's. */
  readonly chatTemplate?: string | undefined
  /** In conversations, train on the assistant's words alone. */
  readonly assistantOnly?: boolean | undefined
  /** Called now and then with the number of rows done. */
  readonly onProgress?: (done: number) => void
  readonly signal?: AbortSignal
}

/** A split that is ready to be trained on. */
export interface PreparedSplit {
  readonly examples: readonly Example[]
  readonly info: SplitInfo
  /** Rows left out, by reason: `identical`, `emptied`, `too_long`, `prompts_differ`. */
  readonly dropped: Readonly<Record<string, number>>
  /** Rows whose prompt lost its end to the completion because tokens merge across the border. */
  readonly promptsCut: number
}

const ROWS_AT_ONCE = 64
const PACKED: readonly DatasetType[] = ['language-modeling', 'prompt-completion']

/**
 * Turns rows into examples. Gives way to the event loop every few rows. COLLIMATE_DATA_NOTHING_LEFT where every row was left
 * out; COLLIMATE_PACKING_UNSUPPORTED for packing without a length or with more than one completion a row.
 */
export async function prepareExamples(
  rows: readonly SourceRow[],
  request: Omit<DataRequest, 'seed'>,
  options: PrepareOptions = {},
): Promise<PreparedSplit> {
  const tokenizer = createTokenizer(request.tokenizer)
  const source = options.chatTemplate ?? tokenizer.chatTemplate
  const template = source === undefined ? undefined : chatTemplate(source, tokenizer.specialTokens)
  const columns = columnReader(options.columns)
  const { maxLength, truncation, stepSeparator } = request
  if (request.packing && (maxLength === null || !PACKED.includes(request.type))) {
    throw new CollimateError(
      'COLLIMATE_PACKING_UNSUPPORTED',
      `${maxLength === null ? 'packing without a maximal length' : `packing of ${request.type} data`} is not possible`,
      {
        hint: 'set maxLength, and pack language-modeling or prompt-completion data',
      },
    )
  }
  const { assistantOnly = false } = options
  const examples: Example[] = []
  const dropped: Record<string, number> = {}
  let promptsCut = 0
  for (const [done, row] of rows.entries()) {
    if (done % ROWS_AT_ONCE === 0) {
      await setImmediate()
      options.signal?.throwIfAborted()
      options.onProgress?.(done)
    }
    const read = datasetRow(row, request.type, columns)
    const result =
      read === 'prompts_differ'
        ? { dropped: read }
        : read.labels
          ? tokenizeSteps(read, { tokenizer, maxLength, truncation, stepSeparator })
          : tokenizeRow(read, { tokenizer, template, maxLength, truncation, assistantOnly })
    if ('dropped' in result) dropped[result.dropped] = (dropped[result.dropped] ?? 0) + 1
    else {
      examples.push(result.example)
      if (result.promptCut) promptsCut += 1
    }
  }
  options.onProgress?.(rows.length)
  if (examples.length === 0) {
    const reasons = Object.entries(dropped).map(([reason, count]) => `${count} ${reason}`)
    throw new CollimateError(
      'COLLIMATE_DATA_NOTHING_LEFT',
      `${rows[0]?.file ?? 'the data'}: none of ${rows.length} rows can be used (${reasons.join(', ')})`,
      {
        hint: 'emptied, too_long: raise maxLength; identical: chosen and rejected must differ; prompts_differ: both sides must begin with one prompt',
      },
    )
  }
  const packed = request.packing ? packExamples(examples, maxLength as number) : examples
  return { examples: packed, info: { length: packed.length, fingerprint: fingerprint(packed) }, dropped, promptsCut }
}

/** SHA-256 (hex) over lengths, ids, masks and labels: equal exactly where the tokenised examples are. */
export function fingerprint(examples: readonly Example[]): string {
  const hash = createHash('sha256')
  for (const { prompt, completions, masks, labels } of examples) {
    hash.update(
      Int32Array.of(prompt.length, completions.length, ...completions.map((ids) => ids.length), masks ? 1 : 0),
    )
    hash.update(prompt)
    completions.forEach((ids, at) => hash.update(ids).update(masks?.[at] ?? new Uint8Array()))
    labels?.forEach((own) => hash.update(own))
  }
  return hash.digest('hex')
}
