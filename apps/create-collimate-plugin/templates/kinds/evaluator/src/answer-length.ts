import { CollimateError, type Evaluator, type Example } from '@collimate/core'

export interface AnswerLengthOptions {
  readonly prompts: number
  readonly maxNewTokens: number
}

/** Mean with its 95 % interval, by the normal approximation. */
export function measured(values: readonly number[]) {
  const count = values.length
  const value = values.reduce((a, b) => a + b, 0) / count
  const variance = values.reduce((sum, one) => sum + (one - value) ** 2, 0) / Math.max(1, count - 1)
  const margin = 1.96 * Math.sqrt(variance / count)
  return { value, low: value - margin, high: value + margin, count }
}

/** Answers held-out prompts with the trained policy and measures how long the answers are, in tokens. */
export function answerLength({ prompts, maxNewTokens }: AnswerLengthOptions): Evaluator {
  return {
    // An evaluator that compares with the policy as it was before training says `reference: true`.
    requires: { reference: false, reward: false },

    async evaluate({ policy, data, seed, signal }) {
      const indices = Array.from({ length: Math.min(prompts, data.evaluationLength) }, (_, i) => i)
      const examples = (await data.read('evaluation', indices)).filter(({ prompt }: Example) => prompt.length > 0)
      if (examples.length === 0)
        throw new CollimateError('COLLIMATE_EVALUATION_EMPTY', '__name__: the held-out split has no prompts', {
          hint: 'give the data an evaluation split of rows with prompts',
        })
      // Long work listens to the signal, so that Ctrl-C is heard.
      signal.throwIfAborted()
      const { completions, endedBy } = await policy.generate({
        prompts: examples.map(({ prompt }) => prompt),
        sampling: { maxNewTokens, temperature: 1, seed },
      })
      return {
        metrics: {
          answer_length: measured(completions.map((ids) => ids.length)),
          answers_cut: measured(endedBy.map((by) => (by === 'length' ? 1 : 0))),
        },
        samples: [],
      }
    },
  }
}
