/** The rows of the corpus in TRL's columns. Each is a pure function of the seed and its number. */
import { fraction, stream } from '@collimate/core'
import { goldScore } from './gold.js'
import { drawAnswer, drawManner, drawQuestion, promptOf } from './grammar.js'
import type { Random } from './grammar.js'

/** A question with one answer, of whatever quality. */
export interface DemonstrationRow {
  readonly prompt: string
  readonly completion: string
}

/** A question with two answers of the corpus, of which a customer preferred one. */
export interface PreferenceRow {
  readonly prompt: string
  readonly chosen: string
  readonly rejected: string
}

/** Splits of the corpus: no two share random numbers. */
const splits = { demonstrations: 0, preferences: 1, evaluation: 2 } as const
export type Split = keyof typeof splits

export function demonstration(seed: number, row: number, split: Split = 'demonstrations'): DemonstrationRow {
  const random = randomOf(seed, split, row)
  const question = drawQuestion(random)
  return { prompt: promptOf(question), completion: ` ${drawAnswer(question, drawManner(random), random)}` }
}

/**
 * Bradley and Terry, Biometrika 39 (1952): the first answer is preferred with probability
 * σ((gold(first) − gold(second)) / temperature). A high temperature is a customer who hardly looks.
 */
export function preference(
  seed: number,
  row: number,
  temperature: number,
  split: Split = 'preferences',
): PreferenceRow {
  const random = randomOf(seed, split, row)
  const question = drawQuestion(random)
  const prompt = promptOf(question)
  const first = drawAnswer(question, drawManner(random), random)
  let second = drawAnswer(question, drawManner(random), random)
  while (second === first) second = drawAnswer(question, drawManner(random), random)
  const firstPreferred =
    random() < preferenceProbability(goldScore(prompt, first), goldScore(prompt, second), temperature)
  const [chosen, rejected] = firstPreferred ? [first, second] : [second, first]
  return { prompt, chosen: ` ${chosen}`, rejected: ` ${rejected}` }
}

export function preferenceProbability(first: number, second: number, temperature: number): number {
  return 1 / (1 + Math.exp((second - first) / temperature))
}

function randomOf(seed: number, split: Split, row: number): Random {
  // Rows of all splits are numbered apart: 2^28 each.
  const numbers = stream('corpus', splits[split] * 2 ** 28 + row)
  let index = 0
  return () => fraction(seed, numbers, index++)
}
