import { CollimateError } from '@collimate/core'
import type { Example, Model } from '@collimate/core'
import { stepBatches } from '@collimate/data'
import type { ScoreSteps } from './score-steps.js'
import type { Steps } from './steps.js'

export interface ModelStepsOptions {
  /** `probability`: σ of what the head says. */
  readonly output: 'logit' | 'probability'
  /** Completions that are computed at once. */
  readonly microBatchSize: number
}

/**
 * Reads the scalar head of a process reward model at the last token of every step, with the prompt and all steps up to it.
 *
 * @throws CollimateError COLLIMATE_OUTPUT_MISSING where the model has no such head, COLLIMATE_REWARD_NOT_FINITE
 */
export function scoreByModel(model: Pick<Model, 'outputs'>, { output, microBatchSize }: ModelStepsOptions): ScoreSteps {
  return async (all) => {
    const scores = all.map(({ ends }) => new Float64Array(ends.length))
    const withSteps = Array.from(all.keys()).filter((at) => all[at].ends.length > 0)
    for (let start = 0; start < withSteps.length; start += microBatchSize) {
      const groups = byPrompt(all, withSteps.slice(start, start + microBatchSize))
      const examples = groups.map((group, index) =>
        exampleOf(
          group.map((at) => all[at]),
          index,
        ),
      )
      const { batches } = stepBatches(examples, {
        ...{ microBatchSize: examples.length, sortByLength: false },
        ends: (_, position) => groups[position].map((at) => all[at].ends),
      })
      const { values = [] } = await model.outputs({ batch: batches[0], names: ['values'] })
      let step = 0
      for (const at of groups.flat())
        scores[at] = scores[at].map((_, number) => {
          const value = values[step++]
          if (!Number.isFinite(value)) throw notFinite(value, at, number, all[at])
          return output === 'logit' ? value : 1 / (1 + Math.exp(-value))
        })
    }
    return { scores }
  }
}

/** Neighbours with one prompt: it is computed once for all of them. */
function byPrompt(all: readonly Steps[], numbers: readonly number[]): number[][] {
  const groups: number[][] = []
  for (const at of numbers) {
    const group = groups.at(-1)
    if (group && sameIds(all[group[0]], all[at])) group.push(at)
    else groups.push([at])
  }
  return groups
}

const sameIds = ({ rollout: { prompt: a } }: Steps, { rollout: { prompt: b } }: Steps): boolean =>
  a.ids === b.ids || (a.ids.length === b.ids.length && a.ids.every((id, at) => id === b.ids[at]))

function exampleOf(group: readonly Steps[], index: number): Example {
  const [{ rollout }] = group
  const completions = group.map(({ rollout: { completion } }) => completion)
  return {
    index,
    prompt: rollout.prompt.ids,
    completions: completions.map(({ ids }) => ids),
    text: { prompt: rollout.prompt.text, completions: completions.map(({ text }) => text) },
    columns: {},
  }
}

function notFinite(value: number | undefined, at: number, step: number, { rollout }: Steps): CollimateError {
  const text = JSON.stringify(rollout.completion.text.slice(0, 80))
  return new CollimateError(
    'COLLIMATE_REWARD_NOT_FINITE',
    `the process reward model gives step ${step + 1} of rollout ${at} ${value}: ${text}`,
    { hint: 'the weights of the model are damaged, or it was trained into the void' },
  )
}
