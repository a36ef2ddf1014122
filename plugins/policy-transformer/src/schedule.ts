/** Prompts that are decoded together, one row each. */
export interface DecodeBatch {
  /** Indices of the prompts, in the order of the rows. */
  readonly prompts: readonly number[]
  /** Rows of the programs; those beyond the prompts only fill their shape. */
  readonly rows: number
  /** Columns of the prefill: the longest prompt, rounded up. */
  readonly width: number
  /** Most tokens that a row of this batch may get. */
  readonly steps: number
  /** Slots of a row that the longest completion needs in the key-value cache. */
  readonly capacity: number
}

/**
 * Splits prompts into batches. Prompts of similar length go together, so that little is padded, and all sizes are rounded
 * up, so that few programs are compiled. `allowances` are the new tokens that each prompt may get.
 */
export function scheduleDecoding(
  lengths: readonly number[],
  allowances: readonly number[],
  batchSize: number,
): readonly DecodeBatch[] {
  // Longest first: if the memory does not suffice, it shows at once.
  const order = lengths.map((_, index) => index).sort((a, b) => lengths[b] - lengths[a] || a - b)
  const batches: DecodeBatch[] = []
  for (let start = 0; start < order.length; start += batchSize) {
    const prompts = order.slice(start, start + batchSize)
    const width = roundUp(Math.max(...prompts.map((index) => lengths[index])))
    const steps = Math.max(...prompts.map((index) => allowances[index]))
    batches.push({
      prompts,
      rows: programRows(prompts.length, batchSize),
      width,
      steps,
      // The last token is never fed back.
      capacity: roundUp(width + steps - 1),
    })
  }
  return batches
}

/** Rows of the program for `count` rows of at most `most`: the next power of two, so that few programs are compiled. */
export function programRows(count: number, most: number): number {
  return Math.min(most, 2 ** Math.ceil(Math.log2(count)))
}

/** The next size of which only few exist: a multiple of 8, or of a quarter of the power of two below (at most 25 % more). */
export function roundUp(size: number): number {
  const step = Math.max(8, 2 ** Math.floor(Math.log2(Math.max(1, size))) / 4)
  return Math.ceil(size / step) * step
}

/** `items` and, up to `count`, the first of them again. */
export function filled<Item>(items: readonly Item[], count: number): readonly Item[] {
  return [...items, ...new Array<Item>(Math.max(0, count - items.length)).fill(items[0])]
}
