import type { Example } from '@collimate/core'
import type { Tokens } from './tokens-of.js'

/** Most completions of a prompt that share its row: beyond, attention within the row costs more than the prompt saves. */
const completionsPerRow = 8

/** Completions of one prompt as one example, so that the prompt is computed once, with their places in what was given. */
export interface Row {
  readonly example: Example
  readonly places: readonly number[]
}

/** Groups sequences by their prompts, wherever they stand. */
export function rowsOf(sequences: readonly Tokens[]): Row[] {
  const byPrompt = new Map<string, number[]>()
  sequences.forEach(({ prompt }, at) => {
    const key = prompt.join()
    const places = byPrompt.get(key)
    if (places) places.push(at)
    else byPrompt.set(key, [at])
  })
  const rows: Row[] = []
  for (const all of byPrompt.values())
    for (let start = 0; start < all.length; start += completionsPerRow) {
      const places = all.slice(start, start + completionsPerRow)
      const completions = places.map((at) => sequences[at].completion)
      const text = { prompt: '', completions: places.map(() => '') }
      rows.push({
        places,
        example: { index: rows.length, prompt: sequences[places[0]].prompt, completions, text, columns: {} },
      })
    }
  return rows
}
