import { CollimateError } from '@collimate/core'

/**
 * The enumerable world: so few tokens that every completion of every prompt is listed, and everything that is estimated
 * elsewhere is a sum here. Plain data.
 *
 * Token 0 ends a completion, tokens 1 to `letters` say something. A completion ends with its first 0 (which is part of it)
 * or is cut at `maxLength` tokens, so that the probabilities of the completions of a prompt add up to 1 under every
 * language model over these tokens.
 */
export interface World {
  /** Tokens besides the end token, from 0. */
  readonly letters: number
  /** Most tokens of a completion, the end token included; at least 1. */
  readonly maxLength: number
  /** [X] prompts; none begins with another, so that a context belongs to one prompt. */
  readonly prompts: readonly (readonly number[])[]
  /** [Y] every completion, the same for each prompt, in lexicographic order. */
  readonly completions: readonly (readonly number[])[]
  /** [X][Y] r(x, y) */
  readonly rewards: Table
  /** [X][Y] log π_ref(y | x); each row adds up to 1 as probabilities. */
  readonly reference: Table
  /** Strength of the KL penalty, above 0. */
  readonly beta: number
}

/** A number for each prompt [X] and completion [Y]: rewards, or the log-probabilities of a distribution. */
export type Table = readonly (readonly number[])[]

/** The token that ends a completion. */
export const endToken = 0

/** Tokens of a world: its letters and the end token. */
export const vocabularySize = ({ letters }: Pick<World, 'letters'>): number => letters + 1

/** How many completions a world of this size has: Σ_{k<L} n^k that end, and n^L that are cut. */
export function completionCount(letters: number, maxLength: number): number {
  let ended = 0
  for (let length = 0; length < maxLength; length++) ended += letters ** length
  return ended + letters ** maxLength
}

/** Every sequence that ends with its first stop token or is cut at `maxLength`, stop tokens first. */
export function listSequences(
  stops: readonly number[],
  letters: readonly number[],
  maxLength: number,
): readonly (readonly number[])[] {
  const from = (prefix: readonly number[]): (readonly number[])[] => {
    if (prefix.length === maxLength) return [prefix]
    return [...stops.map((stop) => [...prefix, stop]), ...letters.flatMap((letter) => from([...prefix, letter]))]
  }
  return from([])
}

/** Every completion of a world of this size, in lexicographic order; [[0]] where there is no letter. */
export function listCompletions(letters: number, maxLength: number): readonly (readonly number[])[] {
  return listSequences(
    [endToken],
    Array.from({ length: letters }, (_, letter) => letter + 1),
    maxLength,
  )
}

/** Prompts of uneven lengths, none the beginning of another: a run of the first letter, closed by the end token. */
export function listPrompts(letters: number, count: number): number[][] {
  if (letters === 0 && count > 1) {
    throw new CollimateError('COLLIMATE_OPTION_INVALID', `a world without letters has 1 prompt, not ${count}`)
  }
  return Array.from({ length: count }, (_, at) => [...new Array<number>(at).fill(1), endToken])
}

export interface WorldParts {
  readonly letters: number
  readonly maxLength: number
  readonly beta: number
  /** [X][Y] */
  readonly rewards: Table
  /** [X][Y] unnormalised log-probabilities of the reference; default all equal. */
  readonly referenceLogits?: Table
}

/** A world from its numbers; the prompts are as many as there are rows of rewards. */
export function makeWorld({ letters, maxLength, beta, rewards, referenceLogits }: WorldParts): World {
  const completions = listCompletions(letters, maxLength)
  const logits = referenceLogits ?? rewards.map((row) => row.map(() => 0))
  const wrong = [...rewards, ...logits].find((row) => row.length !== completions.length)
  if (wrong || rewards.length !== logits.length || !(beta > 0)) {
    const found = wrong ? `a row of ${wrong.length} numbers` : `${logits.length} rows of logits, beta ${beta}`
    throw new CollimateError(
      'COLLIMATE_OPTION_INVALID',
      `a world of ${rewards.length} prompts and ${completions.length} completions got ${found}`,
    )
  }
  const prompts = listPrompts(letters, rewards.length)
  return { letters, maxLength, prompts, completions, rewards, reference: logits.map(normalise), beta }
}

/** ln Σ exp(v), without overflow; −Infinity for no values. */
export function logSumExp(values: readonly number[]): number {
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity)
  if (!Number.isFinite(most)) return most
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0))
}

/** Log-probabilities from logits. */
export function normalise(logits: readonly number[]): number[] {
  const total = logSumExp(logits)
  return logits.map((logit) => logit - total)
}

/** The world in a few lines, for a counterexample. */
export function showWorld({ letters, maxLength, prompts, completions, rewards, reference, beta }: World): string {
  const short = (value: number): string => String(Number(value.toPrecision(6)))
  const rows = prompts.map((prompt, x) => {
    const all = completions.map(
      (completion, y) => `${completion.join(' ')}: r ${short(rewards[x][y])}, log π_ref ${short(reference[x][y])}`,
    )
    return `prompt [${prompt.join(' ')}] → ${all.join('; ')}`
  })
  return `β ${beta}, ${letters} letters, at most ${maxLength} tokens; ${rows.join(' | ')}`
}
