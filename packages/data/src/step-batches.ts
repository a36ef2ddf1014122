import { CollimateError, NO_LABEL } from '@collimate/core'
import type { Example, ForestBatch } from '@collimate/core'
import { bucketSize } from './bucket.js'
import { microBatches } from './micro-batches.js'
import type { MicroBatches, MicroBatchOptions } from './micro-batches.js'

/** The tokens of a completion that end a step: those that have a label. */
export const stepEndsOf = (labels: Int32Array): Int32Array =>
  Int32Array.from(labels.keys()).filter((token) => labels[token] !== NO_LABEL)

/** Values of the steps of an example, one behind the other. */
export type StepValues = (example: Example, position: number) => ArrayLike<number>

export interface StepBatchOptions extends Omit<MicroBatchOptions, 'inputs' | 'bucket'> {
  /** For each completion the index of each step's last token; default those that `labels` has. */
  readonly ends?: (example: Example, position: number) => readonly ArrayLike<number>[]
  /** Inputs of an objective per token, one number for each step of an example. */
  readonly inputs?: Readonly<Record<string, StepValues>>
}

/**
 * Micro-batches whose scored tokens are steps: T counts steps, and `sources` are the steps' own last tokens, so that the
 * model's `values` there are what its scalar head says of a step with all that was written before it. `targets` are 0:
 * log-probs of such a batch mean nothing. Steps follow their sequences.
 *
 * @throws CollimateError COLLIMATE_BATCH_INPUT_INVALID where a step ends outside of its completion, or an input has another
 * number of values than there are steps
 */
export function stepBatches(examples: readonly Example[], options: StepBatchOptions): MicroBatches {
  const { ends = ({ labels = [] }: Example) => labels.map(stepEndsOf), inputs = {}, ...layout } = options
  const { batches, order } = microBatches(examples, layout)
  return {
    batches: batches.map((batch, number) =>
      atSteps(
        batch,
        order[number].map((position) => {
          const example = examples[position]
          const own = ends(example, position)
          const count = own.reduce((sum, { length }) => sum + length, 0)
          const values = Object.entries(inputs).map(([name, of]) => {
            const given = Array.from(of(example, position))
            if (given.length !== count)
              throw invalid(`input ${name}: row ${example.index} has ${given.length} values for ${count} steps`)
            return [name, given] as const
          })
          return { example, ends: own, values }
        }),
        Object.keys(inputs),
      ),
    ),
    order,
  }
}

interface Steps {
  readonly example: Example
  readonly ends: readonly ArrayLike<number>[]
  readonly values: readonly (readonly [string, readonly number[]])[]
}

function atSteps(batch: ForestBatch, all: readonly Steps[], names: readonly string[]): ForestBatch {
  const sources: number[] = []
  const sequences: number[] = []
  let sequence = 0
  for (const { example, ends } of all)
    example.completions.forEach(({ length }, completion) => {
      for (const end of Array.from(ends[completion] ?? [])) {
        if (!(Number.isInteger(end) && end >= 0 && end < length))
          throw invalid(`row ${example.index}: a step ends at token ${end} of ${length}`)
        sources.push(batch.ends[sequence] - (length - 1) + end)
        sequences.push(sequence)
      }
      sequence += 1
    })
  const size = bucketSize(Math.max(1, sources.length))
  const inputs = names.map((name, number) => {
    const laidOut = new Float64Array(size)
    laidOut.set(all.flatMap(({ values }) => values[number][1]))
    return [name, laidOut] as const
  })
  return {
    ...batch,
    sources: padded(sources, size),
    targets: new Int32Array(size),
    sequences: padded(sequences, size),
    tokenMask: new Float32Array(size).fill(1, 0, sources.length),
    inputs: Object.fromEntries(inputs),
  }
}

function padded(values: readonly number[], size: number): Int32Array {
  const result = new Int32Array(size)
  result.set(values)
  return result
}

const invalid = (problem: string): CollimateError =>
  new CollimateError('COLLIMATE_BATCH_INPUT_INVALID', problem, {
    hint: 'a step ends at a token of its completion, and has one value of each input',
  })
