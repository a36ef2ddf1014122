import { CollimateError } from '@collimate/core'
import type { Example } from '@collimate/core'

/**
 * Best-fit decreasing bin packing (Ding et al., arXiv 2404.10830) in the order of TRL's `bfd`: the longest item first, ties
 * in their order, each into the fullest bin that has room, the bin that has waited longest where several are equally full.
 * Returns the numbers of the items in each bin. Items of length 0 go nowhere; longer ones than `capacity` are refused.
 */
export function packBestFit(lengths: readonly number[], capacity: number): number[][] {
  const tooLong = lengths.findIndex((length) => length > capacity)
  if (tooLong !== -1) {
    throw new CollimateError(
      'COLLIMATE_PACKING_TOO_LONG',
      `item ${tooLong} of ${lengths[tooLong]} tokens does not fit into ${capacity}`,
      {
        hint: 'truncate before packing',
      },
    )
  }
  const order = lengths.map((_, item) => item).filter((item) => lengths[item] > 0)
  order.sort((a, b) => lengths[b] - lengths[a] || a - b)
  const bins: number[][] = []
  // bySpace[s]: bins with room for s more tokens, in the order of waiting.
  const bySpace: number[][][] = Array.from({ length: capacity + 1 }, () => [])
  for (const item of order) {
    const length = lengths[item]
    let space = length
    while (space < capacity && bySpace[space]?.length === 0) space += 1
    const bin = space < capacity ? (bySpace[space]?.shift() as number[]) : []
    if (space === capacity) bins.push(bin)
    bin.push(item)
    bySpace[space - length]?.push(bin)
  }
  return bins
}

/**
 * Packs documents (examples with one completion) into examples of at most `capacity` tokens: the prompt is empty and each
 * completion is a whole document, prompt and completion, with its prompt masked. Documents are never split, and none sees
 * another. `index` is that of the pack's first document. Longer documents than `capacity` are refused: truncate before.
 */
export function packExamples(examples: readonly Example[], capacity: number): Example[] {
  const other = examples.find((example) => example.completions.length !== 1)
  if (other) {
    throw new CollimateError(
      'COLLIMATE_PACKING_UNSUPPORTED',
      `row ${other.index} has ${other.completions.length} completions, and packing is for one`,
      {
        hint: 'pack language-modeling or prompt-completion data; pairs share their prompt already',
      },
    )
  }
  const documents = examples.map(document)
  const lengths = documents.map(({ ids }) => ids.length)
  return packBestFit(lengths, capacity).map((items) => {
    const inside = items.map((item) => documents[item])
    return {
      index: examples[items[0]].index,
      prompt: new Int32Array(),
      completions: inside.map(({ ids }) => ids),
      ...(inside.some(({ mask }) => mask.includes(0)) && { masks: inside.map(({ mask }) => mask) }),
      text: { prompt: '', completions: inside.map(({ text }) => text) },
      columns: {},
    }
  })
}

interface Document {
  readonly ids: Int32Array
  readonly mask: Uint8Array
  readonly text: string
}

function document(example: Example): Document {
  const { prompt, completions, masks, text } = example
  const completion = completions[0]
  const ids = new Int32Array(prompt.length + completion.length)
  ids.set(prompt)
  ids.set(completion, prompt.length)
  const mask = new Uint8Array(ids.length)
  if (masks?.[0]) mask.set(masks[0], prompt.length)
  else mask.fill(1, prompt.length)
  return { ids, mask, text: text.prompt + (text.completions[0] ?? '') }
}
