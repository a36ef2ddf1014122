import { CollimateError } from '@collimate/core'
import type { Example, ForestBatch, Model, ModelOutput, Rollout } from '@collimate/core'
import { microBatches, scoredTokens } from '@collimate/data'
import type { BatchInput } from '@collimate/data'

/** Rollouts of one prompt, `groupSize` neighbours, as one example each: the prompt is computed once for all of them. */
export function rolloutExamples(rollouts: readonly Rollout[], groupSize: number): readonly Example[] {
  const examples: Example[] = []
  for (let start = 0; start < rollouts.length; start += groupSize) {
    const group = rollouts.slice(start, start + groupSize)
    const [{ prompt, columns }] = group
    examples.push({
      index: start / groupSize,
      prompt: prompt.ids,
      completions: group.map(({ completion }) => completion.ids),
      masks: group.map(({ mask }) => mask),
      text: { prompt: prompt.text, completions: group.map(({ completion }) => completion.text) },
      columns,
    })
  }
  return examples
}

export interface BatchOptions {
  readonly groupSize: number
  /** Prompts, with all of their completions, that are computed at once. */
  readonly microBatchSize: number
}

/** What an objective reads beside log-probs: for each rollout a number per token of the completion, or one number. */
export type RolloutInputs = Readonly<Record<string, readonly ArrayLike<number>[] | Float64Array>>

/**
 * The micro-batches of an update on rollouts. Inputs are given per rollout and laid out as the model wants them: lists of
 * arrays per token of the completion, a Float64Array [n] per sequence.
 */
export function rolloutBatches(
  rollouts: readonly Rollout[],
  inputs: RolloutInputs,
  { groupSize, microBatchSize }: BatchOptions,
): readonly ForestBatch[] {
  const laidOut = Object.fromEntries(
    Object.entries(inputs).map(([name, values]): [string, BatchInput] => {
      if (values instanceof Float64Array)
        return [name, { unit: 'sequences', values: (_, at) => values.slice(at * groupSize, (at + 1) * groupSize) }]
      const ofExample = (example: Example, at: number) =>
        example.completions.flatMap((_, k) => {
          const tokens = values[at * groupSize + k]
          return scoredTokens(example, k).map((token) => tokens[token])
        })
      return [name, { unit: 'tokens', values: ofExample }]
    }),
  )
  return microBatches(rolloutExamples(rollouts, groupSize), { microBatchSize, inputs: laidOut }).batches
}

/**
 * Outputs of a model for every token of the completions: for each rollout an array of its length, 0 where its mask is 0.
 *
 * @param names outputs per token: `logProbs`, `entropy`, `values`
 */
export async function rolloutOutputs<Name extends ModelOutput>(
  model: Pick<Model, 'outputs'>,
  rollouts: readonly Rollout[],
  names: readonly Name[],
  { groupSize, microBatchSize, temperature }: BatchOptions & { readonly temperature?: number },
): Promise<Readonly<Record<Name, readonly Float64Array[]>>> {
  const examples = rolloutExamples(rollouts, groupSize)
  const found = Object.fromEntries(
    names.map((name) => [name, rollouts.map(({ completion }) => new Float64Array(completion.ids.length))]),
  ) as Record<Name, Float64Array[]>
  const { batches, order } = microBatches(examples, { microBatchSize })
  for (const [number, batch] of batches.entries()) {
    const outputs = await model.outputs({ batch, names, ...(temperature !== undefined && { temperature }) })
    let scored = 0
    for (const position of order[number])
      examples[position].completions.forEach((_, k) => {
        for (const token of scoredTokens(examples[position], k)) {
          for (const name of names) found[name][position * groupSize + k][token] = valueOf(outputs, name, scored)
          scored++
        }
      })
  }
  return found
}

function valueOf(outputs: Partial<Record<ModelOutput, ArrayLike<number>>>, name: ModelOutput, at: number): number {
  const value = outputs[name]?.[at]
  if (value !== undefined && Number.isFinite(value)) return value
  throw new CollimateError('COLLIMATE_NOT_FINITE', `output "${name}" of the model is ${value} for a sampled token`, {
    hint: 'the weights have diverged: lower the learning rate, or raise beta; or precision float16 is too narrow for this model',
  })
}
