import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { DatasetType, Example, ForestBatch } from '@collimate/core'
import { forestBatch } from './forest.js'
import { prepareExamples } from './prepare.js'
import { readRows } from './read-rows.js'
import type { SourceRow } from './read-rows.js'
import { loadTokenizerFiles } from './tokenizer-files.js'

const shared = fileURLToPath(new URL('../../../../shared/', import.meta.url))
const here = existsSync(`${shared}parity/traces`) && existsSync(`${shared}data/tok-tiny-bpe`)

interface Batch {
  input_ids: number[][]
  attention_mask?: number[][]
  labels?: number[][]
  completion_mask?: number[][]
  position_ids?: number[][]
}

async function prepared(trace: string, type: DatasetType) {
  const settings = (
    JSON.parse(readFileSync(`${shared}parity/traces/${trace}/config.json`, 'utf8')) as {
      settings: Record<string, unknown>
    }
  ).settings
  const files = await loadTokenizerFiles(`${shared}data/tok-tiny-bpe`)
  const rows: SourceRow[] = []
  for await (const row of readRows(`${shared}parity/traces/${trace}/dataset.jsonl`)) rows.push(row)
  const split = await prepareExamples(rows, {
    type,
    tokenizer: { ...files, config: { ...files.config, eos_token: '<|im_end|>', pad_token: '<|endoftext|>' } },
    maxLength: settings.max_length as number,
    truncation: settings.truncation_mode as 'keep_start',
    ...(settings.packing === true && { packing: 'bfd' as const }),
  })
  const batches = (JSON.parse(readFileSync(`${shared}parity/traces/${trace}/ids.json`, 'utf8')) as { batches: Batch[] })
    .batches
  return { ...split, batches, size: settings.per_device_train_batch_size as number }
}

/** A sequence of a separate layout as TRL's collator writes one: ids without padding, labels with −100 where nothing is scored. */
function asLabels(batch: ForestBatch, row: number): { ids: number[]; labels: number[] } {
  const columns = Array.from({ length: batch.width }, (_, column) => row * batch.width + column).filter(
    (at) => batch.segments[at] !== -1,
  )
  const labels = columns.map(() => -100)
  batch.sources.forEach((source, token) => {
    const column = columns.indexOf(source)
    if (batch.tokenMask[token] === 1 && column !== -1) labels[column + 1] = batch.targets[token]
  })
  return { ids: columns.map((at) => batch.tokens[at]), labels }
}

const cycled = (examples: readonly Example[], start: number, count: number) =>
  Array.from({ length: count }, (_, at) => examples[(start + at) % examples.length])

describe.skipIf(!here)('ids of TRL in ../shared/parity/traces (skipped where the folder is absent)', () => {
  for (const [trace, type] of [
    ['sft-completion', 'prompt-completion'],
    ['sft-full-accumulate', 'language-modeling'],
  ] as const) {
    it(trace, async () => {
      const { examples, batches, size, dropped } = await prepared(trace, type)
      expect(dropped).toEqual({})
      batches.forEach((expected, step) => {
        const batch = forestBatch(cycled(examples, step * size, size), { layout: 'separate' })
        expect(batch.rows).toBe(expected.input_ids.length)
        for (let row = 0; row < batch.rows; row++) {
          const length = (expected.attention_mask?.[row] ?? []).filter((bit) => bit === 1).length
          const { ids, labels } = asLabels(batch, row)
          expect(ids).toEqual(expected.input_ids[row]?.slice(0, length))
          // The first token of a text has no predecessor: TRL carries its label and never uses it.
          expect(labels.slice(1)).toEqual(expected.labels?.[row]?.slice(1, length))
        }
      })
    })
  }

  it('sft-packing-bfd', async () => {
    const { examples, batches, size } = await prepared('sft-packing-bfd', 'language-modeling')
    let at = 0
    batches.forEach((expected) => {
      // An epoch's last batch may hold fewer packs.
      const packs = examples.slice(at, at + size)
      at = at + size >= examples.length ? 0 : at + size
      const batch = forestBatch(packs)
      const rows = Array.from({ length: batch.rows }, (_, row) => ({ ...asLabels(batch, row), row }))
      expect(rows.flatMap(({ ids }) => ids)).toEqual(expected.input_ids[0])
      expect(rows.flatMap(({ labels }) => labels)).toEqual(expected.labels?.[0])
      const real = Array.from(batch.positions).filter((_, token) => batch.segments[token] !== -1)
      expect(real).toEqual(expected.position_ids?.[0])
    })
  })

  // The reward trainer has no masks: a score is that of the whole sequence.
  it.each(['dpo-sigmoid', 'reward-bt', 'reward-margin'])('%s', async (trace) => {
    const { examples, batches, size } = await prepared(trace, 'preference')
    batches.forEach((expected, step) => {
      const pairs = cycled(examples, step * size, size)
      pairs.forEach((pair, at) => {
        pair.completions.forEach((completion, side) => {
          const row = at + side * size
          const length = (expected.attention_mask?.[row] ?? []).filter((bit) => bit === 1).length
          expect([...pair.prompt, ...completion]).toEqual(expected.input_ids[row]?.slice(0, length))
          const mask = [...pair.prompt.map(() => 0), ...completion.map(() => 1)]
          expect(expected.completion_mask?.[row]?.slice(0, length) ?? mask).toEqual(mask)
        })
      })
    })
  })
})
