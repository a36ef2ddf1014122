import { stepBatches } from '@collimate/data'
import { law, near, type Law } from '../law.js'
import { preferenceWorlds, stepwiseExamples } from '../world/datasets.js'
import { exampleOf } from '../world/distribution-of.js'
import { showWorld } from '../world/world.js'
import { contextOf, drive } from './drive.js'
import type { Subject } from './subject.js'

/** Where a trainer of process reward models comes to: its manifest claims `steps` as `optimum`. */
export function stepLaws(subject: Subject): Law[] {
  const { optimum } = subject.claims ?? {}
  const laws = [
    law({
      name: 'trainer/steps',
      statement:
        'Trained on labels of steps, a process reward model says of each beginning of an answer how often its last step is right.',
      formula: 'σ(v(x, y_≤t)) = share of right labels at y_≤t, to 10⁻³',
      source: 'Lightman et al., arXiv 2305.20050; maximum likelihood of a saturated logistic model',
      cost: 20,
      capability: 'optimum',
      arbitrary: preferenceWorlds(),
      show: ({ world, odds }) =>
        `last steps are right ${JSON.stringify(odds)} of 5 times, the others when it is wrong; ${showWorld(world)}`,
      async holds({ world, odds }) {
        const train = stepwiseExamples(world, odds)
        const options = { batchSize: train.length, loggingSteps: 1000, learningRate: 0.2, steps: 150 }
        const trainer = subject.create(subject.options(world, options))
        const policy = subject.start(world)
        try {
          const { context } = contextOf(trainer, {
            ...{ policy, train, totalSteps: options.steps, seed: 1, cacheFolder: await subject.cacheFolder() },
          })
          await drive(trainer, context)
          for (const [x, prompt] of world.prompts.entries())
            for (const completion of world.completions) {
              const ends = () => [completion.map((_, token) => token)]
              const { batches } = stepBatches([exampleOf(0, prompt, [completion])], { microBatchSize: 1, ends })
              const { values = [] } = await policy.outputs({ batch: batches[0], names: ['values'] })
              completion.forEach((_, token) => {
                const prefix = completion.slice(0, token + 1)
                const isLast = prefix.length === completion.length
                const shared = world.completions.flatMap((ids, y) =>
                  prefix.every((id, at) => ids[at] === id) ? [isLast ? odds[x][y] / 5 : 1 - odds[x][y] / 5] : [],
                )
                const share = shared.reduce((a, b) => a + b, 0) / shared.length
                near(
                  1 / (1 + Math.exp(-values[token])),
                  share,
                  1e-3,
                  `the probability that [${prefix.join(' ')}] of prompt ${x} is right`,
                )
              })
            }
        } finally {
          await policy.close()
        }
      },
    }),
  ]
  return optimum === undefined || optimum === false || optimum === 'steps' ? laws : []
}
