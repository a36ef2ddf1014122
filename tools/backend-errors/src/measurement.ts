import type { OpErrors } from '@collimate/laws'

/** What came of a provider: errors, or why there are none. */
export type Measurement =
  | {
      readonly provider: string
      readonly note?: string
      readonly precision: string
      readonly errors: readonly OpErrors[]
    }
  | { readonly provider: string; readonly reason: string }

export type Measured = Extract<Measurement, { errors: unknown }>
export type NotRun = Extract<Measurement, { reason: string }>

export const wasMeasured = (one: Measurement): one is Measured => 'errors' in one
