import type { HeldModel } from './assemble.js'
import type { Bus, Dispose } from './bus.js'
import type { Backend } from './contracts/backend.js'
import type { Resources } from './manifest.js'

/** Counts what a run holds and costs. */
export interface ResourceMeter {
  /** To be called after each step: looks at the memory. */
  afterStep(): Promise<void>
  read(): Promise<Resources>
  end: Dispose
}

/** Watches the steps and the sampling of a run; what evaluations sample is not counted. */
export function measureResources(
  bus: Bus,
  backend: Pick<Backend, 'usage'>,
  models: readonly HeldModel[],
  processBytesBefore: number,
): ResourceMeter {
  const counts = { trainedTokens: 0, generatedTokens: 0, trainingSeconds: 0 }
  const most = { stateBytes: 0, processBytes: 0 }
  let training = false
  const disposers = [
    bus.on('phase.changed', ({ phase }) => (training = phase === 'training')),
    bus.on('metrics.logged', ({ tokens, seconds }) => {
      counts.trainedTokens += tokens
      counts.trainingSeconds += seconds
    }),
    bus.wrap('policy.generate', async (request, next) => {
      const generation = await next(request)
      if (training) counts.generatedTokens += generation.completions.reduce((sum, { length }) => sum + length, 0)
      return generation
    }),
  ]
  return {
    async afterStep() {
      most.stateBytes = Math.max(most.stateBytes, (await backend.usage()).bytes)
      most.processBytes = Math.max(most.processBytes, process.memoryUsage().rss)
    },
    async read() {
      const held = await Promise.all(
        models.map(async ({ role, model }) => ({ role, parameters: (await model.describe()).parameters })),
      )
      return { models: held, ...most, processBytesBefore, ...counts }
    },
    end: () => disposers.forEach((dispose) => dispose()),
  }
}
