import { z } from 'zod'

const policyLossShape = {
  cliprange: z
    .number()
    .positive()
    .lt(1)
    .default(0.2)
    .describe('ε, how far the ratio to the policy that sampled may leave 1, below and above; default 0.2'),
  cliprangeHigh: z
    .number()
    .positive()
    .optional()
    .describe('how far above 1 alone, where that is to differ (arXiv 2503.14476); default that of cliprange'),
  entropyCoef: z
    .number()
    .nonnegative()
    .default(0)
    .describe('factor of the entropy of the next-token distribution, nats, that is taken off the loss; default 0'),
}

const valueLossShape = {
  cliprangeValue: z
    .number()
    .positive()
    .default(0.2)
    .describe('how far a value may leave the one at sampling in a step, in units of reward; default 0.2'),
  vfCoef: z.number().positive().default(0.1).describe('factor of the value loss; default 0.1'),
}

const criticShape = {
  critic: z
    .enum(['separate', 'shared'])
    .default('separate')
    .describe(
      'separate: the critic is a model of its own, that of the experiment or the policy’s with another head; shared: a head on the policy itself, which needs `head: language+score`; default separate',
    ),
}

/** Options of both losses. */
export const lossShape = { ...criticShape, ...policyLossShape, ...valueLossShape }

export const ppoLossOptions = z.strictObject(lossShape)
export type PpoLossOptions = z.output<typeof ppoLossOptions>

export const valueLossOptions = z.strictObject(valueLossShape)
export type ValueLossOptions = z.output<typeof valueLossOptions>

/** Those among a trainer's options that an objective is asked for with; left out where they are undefined. */
export function optionsOf<Schema extends typeof ppoLossOptions | typeof valueLossOptions>(
  schema: Schema,
  options: PpoLossOptions,
): z.output<Schema> {
  const given: Readonly<Record<string, unknown>> = options
  const names = Object.keys(schema.shape).filter((name) => given[name] !== undefined)
  return Object.fromEntries(names.map((name) => [name, given[name]])) as z.output<Schema>
}
