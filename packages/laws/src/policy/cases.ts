import type { Example, ForestBatch } from '@collimate/core'
import { forestBatch, type BatchInput, type Layout } from '@collimate/data'
import fc, { type Arbitrary } from 'fast-check'
import { exampleOf } from '../world/distribution-of.js'
import type { Subject } from './subject.js'

/** Tokens before the size of the vocabulary is known: taken modulo it. */
type Tokens = readonly number[]

/** A prompt with completions, before the size of the model is known. */
export interface Tree {
  readonly prompt: Tokens
  readonly completions: readonly Tokens[]
}

export const tokens = (least: number, most: number): Arbitrary<Tokens> =>
  fc.array(fc.nat(31), { minLength: least, maxLength: most })

/** Prompts with `least` to `most` completions each, of uneven lengths. */
export function trees(least = 1, most = 3, count = 4): Arbitrary<readonly Tree[]> {
  const tree = fc.record({
    prompt: tokens(1, 5),
    completions: fc.array(tokens(1, 5), { minLength: least, maxLength: most }),
  })
  return fc.array(tree, { minLength: 1, maxLength: count })
}

type Size = NonNullable<ReturnType<Subject['size']>>

/** Tokens of the model's vocabulary. */
export const known = (ids: Tokens, { vocabularySize }: Pick<Size, 'vocabularySize'>): number[] =>
  ids.map((id) => id % vocabularySize)

/** A prompt that leaves room for `room` tokens. */
export function promptOf(ids: Tokens, size: Size, room = 1): number[] {
  return known(ids, size).slice(0, Math.max(1, size.contextLength - room))
}

/** The trees as examples that fit the model. */
export function examplesOf(given: readonly Tree[], size: Size): Example[] {
  return given.map(({ prompt, completions }, index) => {
    const start = promptOf(prompt, size)
    const room = size.contextLength - start.length
    return exampleOf(
      index,
      start,
      completions.map((ids) => known(ids, size).slice(0, room)),
    )
  })
}

/** The case in tokens of the model, where its size is known by now. */
export function showTrees(given: readonly Tree[], subject: Subject): string {
  const size = subject.size() ?? { vocabularySize: 32, contextLength: Infinity }
  const list = (ids: ArrayLike<number>): string => `[${Array.from(ids).join(' ')}]`
  return examplesOf(given, size)
    .map(({ prompt, completions }) => `prompt ${list(prompt)} → completions ${completions.map(list).join(' ')}`)
    .join('; ')
}

/** Inputs of the laws' objectives: numbers that depend on example, completion and token alone, not on the layout. */
export const lawInputs: Record<'weights' | 'chosen', BatchInput> = {
  weights: {
    unit: 'tokens',
    values: ({ completions, index }) =>
      completions.flatMap((ids, at) => Array.from(ids, (id, t) => Math.sin(1 + id + 3 * at + 5 * t + 7 * index))),
  },
  chosen: { unit: 'sequences', values: ({ completions, index }) => completions.map((_, at) => (at + index + 1) % 2) },
}

export function batchOf(
  examples: readonly Example[],
  layout: Layout = 'shared',
  inputs: readonly (keyof typeof lawInputs)[] = ['weights'],
): ForestBatch {
  return forestBatch(examples, {
    layout,
    inputs: Object.fromEntries(inputs.map((name) => [name, lawInputs[name]])),
  })
}

/** Values of the scored tokens that are real, in the order of sequences and tokens. */
export const real = (batch: ForestBatch, values: ArrayLike<number>): number[] =>
  Array.from(values).filter((_, t) => batch.tokenMask[t] > 0.5)
