import type { Backend, Policy, StepReport, UpdateReport } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { collect, withSetting } from './setting.js'
import type { Trace } from './trace.js'

/** What a replay leaves behind. */
export interface Replay {
  readonly steps: readonly {
    readonly line: StepReport
    /** Metrics of TRL's micro-batches, where a step has several: TRL averages over them without weights. */
    readonly microBatches: readonly UpdateReport[]
  }[]
  readonly weights: Readonly<Record<string, ArrayLike<number>>>
  /** Batches that the reference was asked for. */
  readonly referenceRuns: number
}

/** Runs the trainer of a trace through all of its steps. */
export function replay(trace: Trace, backend: Backend): Promise<Replay> {
  return withSetting(trace, backend, {}, async ({ trainer, context, referenceRuns }) => {
    const accumulation = trace.settings.gradient_accumulation_steps
    const parts: UpdateReport[][] = []
    const policy: Policy = {
      ...context.policy,
      async update(request) {
        const start = parts.length * accumulation
        const reports: UpdateReport[] = []
        if (accumulation > 1) {
          for (const examples of trace.microBatches.slice(start, start + accumulation))
            reports.push(await policy.evaluate({ ...request, batches: [forestBatch(examples)] }))
        }
        parts.push(reports)
        return context.policy.update(request)
      },
    }
    const lines = await collect(trainer.steps({ ...context, policy }))
    const { tensors } = await policy.snapshot()
    const weights = Object.entries(tensors).filter(([name]) => !name.startsWith('adam.'))
    return {
      steps: lines.map((line, step) => ({ line, microBatches: parts[step] })),
      weights: Object.fromEntries(weights.map(([name, { data }]) => [name, data])),
      referenceRuns: referenceRuns(),
    }
  })
}
