import type { LossTerm, Metric, Objective, ObjectiveTensors } from '@collimate/core'
import { reshape, slice } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

type Tensors = ObjectiveTensors<Tensor>

/** An objective that is given other tensors. Outputs are built when they are asked for, as the contract has it. */
export function withTensors(right: Objective<Tensor>, change: (t: Tensors) => Partial<Tensors>): Objective<Tensor> {
  const seen = (t: Tensors): Tensors => {
    const changed = change(t)
    return new Proxy(t, { get: (target, key) => Reflect.get(key in changed ? changed : target, key) as unknown })
  }
  return { ...right, terms: (t) => right.terms(seen(t)), metrics: (t) => right.metrics(seen(t)) }
}

/** An objective whose reference log-probs are changed. */
export const withReference = (right: Objective<Tensor>, change: (refLogProbs: Tensor, t: Tensors) => Tensor) =>
  withTensors(right, (t) => ({ inputs: { ...t.inputs, refLogProbs: change(t.inputs.refLogProbs, t) } }))

/** An objective whose sums by sequence are changed. */
export const withSums = (right: Objective<Tensor>, change: (sums: Tensor, perToken: Tensor, t: Tensors) => Tensor) =>
  withTensors(right, (t) => ({
    sumBySequence: (perToken) => change(t.sumBySequence(perToken), perToken, t),
  }))

export const withTerms = (
  right: Objective<Tensor>,
  change: (term: LossTerm<Tensor>, t: Tensors) => LossTerm<Tensor>,
): Objective<Tensor> => ({ ...right, terms: (t) => right.terms(t).map((term) => change(term, t)) })

/** An objective whose loss per unit is changed. */
export const withLoss = (right: Objective<Tensor>, change: (perUnit: Tensor, t: Tensors) => Tensor) =>
  withTerms(right, (term, t) => ({ ...term, perUnit: change(term.perUnit, t) }))

export const withMetric = (
  right: Objective<Tensor>,
  name: string,
  change: (metric: Metric<Tensor>, all: Readonly<Record<string, Metric<Tensor>>>) => Metric<Tensor>,
): Objective<Tensor> => ({
  ...right,
  metrics: (t) => {
    const metrics = right.metrics(t)
    const metric = metrics[name]
    return metric ? { ...metrics, [name]: change(metric, metrics) } : metrics
  },
})

/** [N] split into the even (chosen) and odd (rejected) sequences, [N/2] each. */
export function answers(perSequence: Tensor): { chosen: Tensor; rejected: Tensor } {
  const count = perSequence.size / 2
  const table = reshape(perSequence, [count, 2])
  const column = (k: number): Tensor => reshape(slice(table, [0, k], [count, k + 1]), [count])
  return { chosen: column(0), rejected: column(1) }
}
