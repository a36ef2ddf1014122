import { z } from 'zod'
import type { ReadyRule } from '../ready-rule.js'

const options = z.strictObject({})

/** −1 for a completion that was cut at its maximal length, 0 for one that ended by itself, null where nobody knows. */
export const missingEos: ReadyRule<typeof options> = {
  options,
  create:
    () =>
    ({ endedBy }) => {
      if (endedBy === undefined) return null
      return endedBy === 'stop' ? 0 : -1
    },
}
