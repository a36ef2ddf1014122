/** Added to the attention scores of columns that a row does not see. */
const UNSEEN = -1e9

/**
 * What the columns of a cache are for. All rows write the token of a step into one column, whatever their age, so a column
 * is free for the next round once no living row is as old as the column's tokens.
 */
export interface Columns {
  /** Columns 0 to `prompt` − 1 hold the prompts, each row its own. */
  readonly prompt: number
  /** The other columns, which hold decoded tokens: the one written longest ago first. A step writes into the first. */
  readonly ring: readonly number[]
}

/** What a row has in the cache; `age` counts the decoded tokens. Absent: the row sees nothing. */
export type Sight = { readonly prompt: number; readonly age: number } | undefined

const range = (start: number, end: number): number[] =>
  Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index)

/** The columns of an empty cache. */
export function emptyColumns(capacity: number, prompt: number): Columns {
  return { prompt, ring: range(prompt, capacity) }
}

/** After a step: the column that was written is the newest. */
export function afterStep({ prompt, ring }: Columns): Columns {
  return { prompt, ring: [...ring.slice(1), ...ring.slice(0, 1)] }
}

/** Columns beyond the longest prompt hold decoded tokens from now on. */
export function withPrompt({ prompt, ring }: Columns, longest: number): Columns {
  return { prompt: longest, ring: [...range(longest, prompt), ...ring] }
}

/** In a cache with more columns, where the old ones keep their places. */
export function inLarger({ prompt, ring }: Columns, capacity: number): Columns {
  return { prompt, ring: [...range(prompt + ring.length, capacity), ...ring] }
}

/**
 * In a cache with fewer columns, for prompts of at most `prompt` tokens and rows of at most `age`; `taken` [capacity] says
 * which old column lies in each new one.
 */
export function inSmaller(
  { ring }: Columns,
  { prompt, age, capacity }: { readonly prompt: number; readonly age: number; readonly capacity: number },
): { readonly columns: Columns; readonly taken: Int32Array } {
  const free = range(prompt + age, capacity)
  return {
    columns: { prompt, ring: [...free, ...range(prompt, prompt + age)] },
    taken: Int32Array.from([...range(0, prompt), ...newest(ring, age), ...free.map(() => 0)]),
  }
}

/** [B, C] 0 for the columns that a row sees, its prompt and its own decoded tokens; −1e9 for the others. */
export function visibility(rows: readonly Sight[], { prompt, ring }: Columns): Float32Array {
  const capacity = prompt + ring.length
  const scores = new Float32Array(rows.length * capacity).fill(UNSEEN)
  rows.forEach((row, at) => {
    if (row === undefined) return
    const start = at * capacity
    scores.fill(0, start, start + row.prompt)
    for (const column of newest(ring, row.age)) scores[start + column] = 0
  })
  return scores
}

const newest = (ring: readonly number[], count: number): readonly number[] => ring.slice(ring.length - count)
