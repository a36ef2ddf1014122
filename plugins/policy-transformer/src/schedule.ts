import type { CacheSize } from './decode-cache.js'

/** Entering costs about as much as this many steps besides the prompts' own work, which has to be done at any time. */
const STEPS_PER_ENTRY = 1.5

/** Rows that are free while others live, and prompts that wait. */
export interface Occupancy {
  readonly rows: number
  readonly live: number
  readonly waiting: number
  /** Sum of the free rows over the steps since the last entry. */
  readonly idle: number
}

/**
 * How many waiting prompts enter now; 0: go on decoding.
 *
 * They wait until what was lost on free rows has reached the price of an entry (as one buys skis once the rent paid would
 * have bought them: at most twice the least possible cost). With completions of mean length L, that is about when B·√(2/L)
 * of B rows are free. Where all can enter, waiting gains nothing.
 */
export function entering({ rows, live, waiting, idle }: Occupancy): number {
  const free = rows - live
  if (waiting <= free) return waiting
  if (live > 0 && idle < rows * STEPS_PER_ENTRY) return 0
  // The others follow soon; nothing is computed for padding.
  return free === rows ? rows : powerOfTwoUpTo(free)
}

/** What a cache must hold. */
export interface CacheNeed {
  readonly rows: number
  /** Tokens of the longest prompt. */
  readonly prompt: number
  /** Decoded tokens of the oldest row. */
  readonly age: number
  /** Most decoded tokens that a row may come to. */
  readonly most: number
  /** Columns for decoded tokens at first: more make steps slower, and most completions are short. */
  readonly first: number
}

/** The size of a cache in which every row can go on for some time; few sizes exist, so that few programs are compiled. */
export function fittingSize({ rows, prompt, age, most, first }: CacheNeed): CacheSize {
  return { rows, capacity: roundUp(prompt + Math.min(most, Math.max(first, 2 * age))) }
}

/**
 * Whether the oldest rows give up their places and are read again at the end, rather than that all move into a larger cache.
 *
 * A larger cache makes every step slower, reading is work that was done before. So no more is read again than what was
 * decoded, times the growth that it spares: long completions are read again where they are few, and where most are long
 * the cache grows.
 */
export function worthReadingAgain({
  decoded,
  read,
  size,
  larger,
}: {
  /** Tokens that were decoded so far. */
  readonly decoded: number
  /** Tokens that would have been read again by then. */
  readonly read: number
  readonly size: CacheSize
  readonly larger: CacheSize
}): boolean {
  return read <= decoded * (larger.capacity / size.capacity - 1)
}

/** The share of a step's work that a smaller cache would save; 0 where it is less than half. */
export function savingOf(size: CacheSize, smaller: CacheSize): number {
  const share = (smaller.rows * smaller.capacity) / (size.rows * size.capacity)
  return share <= 0.5 ? 1 - share : 0
}

/** Rows of the program for `count` rows of at most `most`: the next power of two, so that few programs are compiled. */
export function programRows(count: number, most: number): number {
  return Math.min(most, 2 ** Math.ceil(Math.log2(count)))
}

const powerOfTwoUpTo = (count: number): number => 2 ** Math.floor(Math.log2(count))

/** Prompts of the program for `count` prompts of at most `most`: reading is dear, so little is padded. */
export function programPrompts(count: number, most: number): number {
  return Math.min(most, toQuarters(count, 1))
}

/** The next size of which only few exist: a multiple of 8, or of a quarter of the power of two below (at most 25 % more). */
export const roundUp = (size: number): number => toQuarters(size, 8)

/** The next multiple of a quarter of the power of two below, or of `least`. */
function toQuarters(size: number, least: number): number {
  const step = Math.max(least, 2 ** Math.floor(Math.log2(Math.max(1, size))) / 4)
  return Math.ceil(size / step) * step
}

/** `items` and, up to `count`, the first of them again. */
export function filled<Item>(items: readonly Item[], count: number): readonly Item[] {
  return [...items, ...new Array<Item>(Math.max(0, count - items.length)).fill(items[0])]
}
