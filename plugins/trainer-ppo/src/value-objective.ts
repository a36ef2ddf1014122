import type { Metric, Objective, ObjectiveTensors } from '@collimate/core'
import { cast } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { clippedValueLoss } from './clipped-value-loss.js'
import type { ValueLossOptions } from './loss-options.js'

/** What the value loss reads of a batch, per token: the critic's values at sampling, and what it is to learn. */
export const valueInputs = { oldValues: 'tokens', returns: 'tokens' } as const

/** The loss of a critic that is a model of its own, weighted by `vfCoef`. */
export function valueObjective(options: ValueLossOptions): Objective<Tensor> {
  return {
    name: 'value',
    outputs: ['values'],
    inputs: valueInputs,
    coupled: false,
    terms: (t) => [valueTerm(options, t)],
    metrics: (t) => valueMetrics(options, t),
  }
}

const lossOf = ({ cliprangeValue }: ValueLossOptions, { values, inputs }: ObjectiveTensors<Tensor>) =>
  clippedValueLoss(values, inputs.oldValues, inputs.returns, cliprangeValue)

export const valueTerm = (options: ValueLossOptions, t: ObjectiveTensors<Tensor>) =>
  ({ perUnit: lossOf(options, t).loss, unit: 'tokens', weight: options.vfCoef }) as const

/** TRL's metrics of the value loss: without `vfCoef`, the ½ included. */
export function valueMetrics(options: ValueLossOptions, t: ObjectiveTensors<Tensor>): Record<string, Metric<Tensor>> {
  const { loss, clipped } = lossOf(options, t)
  return {
    'loss/value_avg': { perUnit: loss, unit: 'tokens' },
    'val/clipfrac_avg': { perUnit: cast(clipped, 'float'), unit: 'tokens' },
  }
}
