import { trainingShape } from '@collimate/core'
import { z } from 'zod'

/** Where its defaults differ from those that trainers share. */
export const defaults = { learningRate: 2e-5 }

/**
 * The options that all trainers share, to which you add your own: `beta: z.number().positive().default(0.1).describe('...')`.
 * Every option must change something, or be refused where it would not: law 16.
 */
export const options = z.strictObject({ ...trainingShape(defaults) })
export type Options = z.output<typeof options>
