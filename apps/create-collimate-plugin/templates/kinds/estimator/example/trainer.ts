// REINFORCE in one file: sample answers, score them, ask the estimator for advantages, raise what did better than the rest.
// A plugin may be a file: an experiment names it as `use: ./trainer.ts`.
import {
  adamwOptions,
  definePlugin,
  learningRateAt,
  learningRatePlan,
  trainingPlan,
  trainingShape,
} from '@collimate/core'
import type { Example, Objective } from '@collimate/core'
import { createTokenizer, microBatches } from '@collimate/data'
import { mul, neg, type Tensor } from '@collimate/graph'
import { z } from 'zod'

/** −A_t log π(y_t): its gradient is the policy gradient. */
const objective: Objective<Tensor> = {
  name: 'weighted-likelihood',
  outputs: ['logProbs'],
  inputs: { advantages: 'tokens' },
  coupled: false,
  terms: (t) => [{ perUnit: neg(mul(t.inputs.advantages, t.logProbs)), unit: 'tokens' }],
  metrics: () => ({}),
}

const defaults = { learningRate: 1e-3 }
const options = z.strictObject({
  ...trainingShape(defaults),
  maxNewTokens: z.int().positive().default(12).describe('longest answer, tokens; default 12'),
})

export default definePlugin({
  name: 'example-reinforce',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'trainer',
  description: 'REINFORCE, the plain loop',
  options,
  brings: [
    definePlugin({
      name: objective.name,
      version: '0.1.0',
      engine: '^0.1.0',
      kind: 'objective',
      description: 'Log-likelihood, weighted by advantages',
      options: z.strictObject({}),
      create: () => objective,
    }),
  ],
  create: (chosen) => ({
    plan: {
      ...trainingPlan(chosen, defaults),
      dataset: 'prompt-only',
      requires: { reference: false, reward: true, estimator: true },
    },
    async *steps({ policy, reward, estimator, data, startStep, totalSteps, seed }) {
      const { tokenizer: files } = await policy.describe()
      if (!reward || !estimator || !files) throw new Error('the runner gives what `requires` asks for')
      const tokenizer = createTokenizer(files)
      const schedule = learningRatePlan(chosen, totalSteps)
      for (let step = startStep; step < totalSteps; step++) {
        const prompts = await data.next(chosen.batchSize)
        const { completions, logProbs } = await policy.generate({
          prompts: prompts.map(({ prompt }) => prompt),
          sampling: { maxNewTokens: chosen.maxNewTokens, temperature: 1, seed },
          streams: prompts.map((_, i) => step * chosen.batchSize + i),
        })
        const { scores } = await reward.score({
          rollouts: prompts.map(({ prompt, text, columns }, i) => ({
            prompt: { ids: prompt, text: text.prompt },
            completion: {
              ids: completions[i],
              text: tokenizer.decodeAfter(prompt, completions[i], { skipSpecialTokens: true }),
            },
            columns,
          })),
        })
        // The score of a whole answer is paid at its last token.
        const width = Math.max(...completions.map((ids) => ids.length))
        const slots = {
          rewards: new Float64Array(prompts.length * width),
          logProbs: new Float64Array(prompts.length * width),
        }
        const mask = new Uint8Array(prompts.length * width)
        completions.forEach((ids, i) => {
          mask.fill(1, i * width, i * width + ids.length)
          slots.logProbs.set(logProbs[i], i * width)
          slots.rewards[i * width + ids.length - 1] = scores[i].reduce((a, b) => a + b, 0)
        })
        const { advantages } = await estimator.estimate({ rows: prompts.length, width, mask, ...slots })
        const examples = prompts.map((example, i): Example => ({ ...example, completions: [completions[i]] }))
        const { batches } = microBatches(examples, {
          microBatchSize: chosen.microBatchSize ?? chosen.batchSize,
          inputs: {
            advantages: {
              unit: 'tokens',
              values: (_, i) => advantages.subarray(i * width, i * width + completions[i].length),
            },
          },
        })
        const report = await policy.update({
          objective: { use: objective.name, options: {} },
          batches,
          optimizer: adamwOptions(chosen),
          learningRate: learningRateAt(schedule, step),
          maxGradNorm: chosen.maxGradNorm,
          metrics: false,
        })
        const mean = slots.rewards.reduce((a, b) => a + b, 0) / prompts.length
        yield { step: step + 1, metrics: { reward: mean, loss: report.loss }, tokens: report.tokens }
      }
    },
    state: () => null,
    restore: () => {},
  }),
})
