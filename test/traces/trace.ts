import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Example } from '@collimate/core'

/** A recorded training run of TRL; what each file holds is said in test/parity/traces/README.md. */
export interface Trace {
  readonly name: string
  readonly folder: string
  readonly settings: {
    readonly per_device_train_batch_size: number
    readonly gradient_accumulation_steps: number
    readonly max_steps: number
    readonly learning_rate: number
    readonly lr_scheduler_type: 'linear' | 'cosine'
    readonly warmup_steps: number
    readonly weight_decay: number
    readonly max_length: number
    readonly beta?: number
    readonly loss_type?: readonly string[]
  }
  /** Examples in an epoch. */
  readonly trainLength: number
  /** Examples of each micro-batch, in TRL's order. */
  readonly microBatches: readonly (readonly Example[])[]
  /** Metrics of each step in float64. */
  readonly metrics: readonly Readonly<Record<string, number>>[]
  readonly finalL2: Readonly<Record<string, number>>
}

export const tracesFolder = fileURLToPath(new URL('../parity/traces/', import.meta.url))

export function readTrace(name: string): Trace {
  const folder = `${tracesFolder}${name}/`
  const json = (file: string) => JSON.parse(readFileSync(folder + file, 'utf8'))
  const lines = (file: string) =>
    readFileSync(folder + file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  const { settings, final_l2_float64 } = json('config.json')
  const toExamples = examplesOf(name)
  let index = 0
  const microBatches: Example[][] = json('ids.json').batches.map((batch: Batch) =>
    toExamples(batch).map((row) => example(index++, row)),
  )
  return {
    name,
    folder,
    settings,
    trainLength: name.includes('packing') ? microBatches.flat().length : lines('dataset.jsonl').length,
    microBatches,
    metrics: lines('metrics.float64.jsonl'),
    finalL2: final_l2_float64,
  }
}

function examplesOf(name: string): (batch: Batch) => Row[] {
  if (name.startsWith('dpo')) return pairExamples
  if (name.startsWith('reward')) return scoredPairExamples
  return name.includes('packing') ? packedExamples : rowExamples
}

/** What TRL's collators give to the model. */
interface Batch {
  readonly input_ids: number[][]
  readonly attention_mask: number[][]
  readonly labels: number[][]
  readonly completion_mask: number[][]
  readonly cu_seq_lens_q: number[]
  readonly ref_chosen_logps?: number[]
  readonly ref_rejected_logps?: number[]
  readonly margin?: number[]
}

interface Row {
  readonly prompt: number[]
  readonly completions: number[][]
  readonly columns?: Record<string, unknown>
}

/** Rows of SFT: the prompt is what comes before the first label; rows of plain text have none. */
function rowExamples({ input_ids, attention_mask, labels }: Batch): Row[] {
  return input_ids.map((ids, i) => {
    const start = labels[i].findIndex((label) => label !== -100)
    const end = attention_mask[i].lastIndexOf(1) + 1
    return { prompt: ids.slice(0, start), completions: [ids.slice(start, end)] }
  })
}

/** One row of several texts, which came from packs of at most 64 tokens, filled in this order. */
function packedExamples({ input_ids, cu_seq_lens_q: ends }: Batch): Row[] {
  const packs: number[][][] = [[]]
  let room = 64
  ends.slice(1).forEach((end, i) => {
    const text = input_ids[0].slice(ends[i], end)
    if (text.length > room) {
      packs.push([])
      room = 64
    }
    packs[packs.length - 1].push(text)
    room -= text.length
  })
  return packs.map((completions) => ({ prompt: [], completions }))
}

/** The first half of the rows is chosen, the second half rejected. */
function pairExamples(batch: Batch): Row[] {
  const half = batch.input_ids.length / 2
  const completion = (i: number) => batch.input_ids[i].filter((_, k) => batch.completion_mask[i][k] === 1)
  return Array.from({ length: half }, (_, i) => ({
    prompt: batch.input_ids[i].slice(0, batch.completion_mask[i].indexOf(1)),
    completions: [completion(i), completion(i + half)],
    columns: batch.ref_chosen_logps && {
      ref_chosen_logps: batch.ref_chosen_logps[i],
      ref_rejected_logps: batch.ref_rejected_logps?.[i],
    },
  }))
}

/** The same without masks: what both answers begin with is their prompt. */
function scoredPairExamples({ input_ids, attention_mask, margin }: Batch): Row[] {
  const half = input_ids.length / 2
  const whole = input_ids.map((ids, i) => ids.slice(0, attention_mask[i].lastIndexOf(1) + 1))
  return Array.from({ length: half }, (_, i) => {
    const [chosen, rejected] = [whole[i], whole[i + half]]
    const shared = chosen.findIndex((id, at) => id !== rejected[at])
    return {
      prompt: chosen.slice(0, shared),
      completions: [chosen.slice(shared), rejected.slice(shared)],
      columns: margin && { margin: margin[i] },
    }
  })
}

function example(index: number, { prompt, completions, columns = {} }: Row): Example {
  return {
    index,
    prompt: Int32Array.from(prompt),
    completions: completions.map((ids) => Int32Array.from(ids)),
    text: { prompt: '', completions: completions.map(() => '') },
    columns,
  }
}
