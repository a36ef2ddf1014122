/** How far the same measure lies apart over a sweep: what a user risks who picks a setting blindly. */
export interface Spread {
  readonly lowest: number
  readonly highest: number
  /** Of how many settings. */
  readonly settings: number
}

/** Undefined for fewer than two settings: one says nothing about sensitivity. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length < 2) return undefined
  return { lowest: Math.min(...values), highest: Math.max(...values), settings: values.length }
}
