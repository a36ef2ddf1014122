import type { Example, ForestBatch, Measurement, ObjectiveUse, TrainerContext } from '@collimate/core'

export interface EvaluateLossRequest {
  readonly objective: ObjectiveUse
  batchesOf(examples: readonly Example[]): readonly ForestBatch[]
  /** Examples that are read at once. */
  readonly lot: number
}

/** Loss and metrics of the objective over all scored tokens of the held-out split; nothing where it is empty. */
export async function evaluateLoss(
  { bus, policy, data, signal }: Pick<TrainerContext, 'bus' | 'policy' | 'data' | 'signal'>,
  { objective, batchesOf, lot }: EvaluateLossRequest,
): Promise<Record<string, Measurement>> {
  const totals = new Map<string, { sum: number; count: number }>()
  const add = (name: string, sum: number, count: number) => {
    const before = totals.get(name) ?? { sum: 0, count: 0 }
    totals.set(name, { sum: before.sum + sum, count: before.count + count })
  }
  for (let start = 0; start < data.evaluationLength; start += lot) {
    signal.throwIfAborted()
    const indices = Array.from({ length: Math.min(lot, data.evaluationLength - start) }, (_, k) => start + k)
    const batches = batchesOf(await data.read('evaluation', indices))
    const { loss, metrics } = await policy.evaluate({ objective, batches, metrics: true })
    const tokens = batches.reduce((sum, { tokenMask }) => sum + tokenMask.reduce((a, b) => a + b, 0), 0)
    add('eval_loss', loss * tokens, tokens)
    for (const [name, { sum, count }] of Object.entries(metrics)) add(`eval_${name}`, sum, count)
    const progress = { done: start + indices.length, total: data.evaluationLength, unit: 'examples' }
    bus.emit('progress.made', { phase: 'held-out loss', ...progress })
  }
  const counted = [...totals].filter(([, { count }]) => count > 0)
  return Object.fromEntries(counted.map(([name, { sum, count }]) => [name, { value: sum / count, count }]))
}
