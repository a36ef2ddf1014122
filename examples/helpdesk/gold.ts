/**
 * The gold score of a helpdesk answer: what the customers of this small world really like, computed from the text alone.
 *
 * Preferences in corpus.ts are drawn from it by Bradley-Terry, and win rates are judged by it; no training ever sees it.
 */
import { definePlugin } from '@collimate/core'
import { z } from 'zod'
import { courtesyMarkers, rudenessMarkers, slots, topics } from './topics.js'

/** Words of an answer that is neither curt nor tiring. */
const idealWords = 18

/** The summands of the gold score. */
export interface GoldParts {
  /** Distinct courteous phrases, at most two, minus distinct rude ones, at most two: −2 to 2. */
  readonly courtesy: number
  /** 1.5 for the question's topic, 1.5 for its slot, −1.5 for another slot of that kind: −1.5 to 3. */
  readonly relevance: number
  /** −((words − 18) / 12)², at least −2: 0 for the ideal length. */
  readonly length: number
  /** −4 times the share of word triples that were said before: −4 to 0. */
  readonly repetition: number
  /** −1 for an answer that does not end its last sentence. */
  readonly ending: number
}

export function goldParts(prompt: string, answer: string): GoldParts {
  return {
    courtesy: markers(answer, courtesyMarkers) - markers(answer, rudenessMarkers),
    relevance: relevance(prompt, answer),
    length: -Math.min(2, ((words(answer).length - idealWords) / 12) ** 2),
    repetition: -4 * repeatedShare(words(answer)),
    ending: /[.!?]\s*$/.test(answer) ? 0 : -1,
  }
}

/** Finite for every text, between −10.5 and 5. */
export function goldScore(prompt: string, answer: string): number {
  return Object.values(goldParts(prompt, answer)).reduce((sum: number, part: number) => sum + part, 0)
}

export default definePlugin({
  name: 'helpdesk-gold',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'reward',
  description: 'Known gold score of a helpdesk answer: courtesy, relevance, length',
  options: z.object({}).strict(),
  create: () => ({
    score: async ({ rollouts }) => ({
      granularity: 'sequence',
      scores: rollouts.map(({ prompt, completion }) => Float64Array.of(goldScore(prompt.text, completion.text))),
    }),
    close: async () => {},
  }),
})

function relevance(prompt: string, answer: string): number {
  const topic = topics.find((candidate) => candidate.cue.test(prompt))
  if (topic === undefined) return 0
  const asked = prompt.match(slots[topic.slot].pattern)?.[0]
  const named = answer.match(slots[topic.slot].pattern) ?? []
  const onTopic = topic.keyword.test(answer)
  const slot = named.some((value) => value !== asked)
    ? -1.5
    : asked !== undefined && named.length > 0 && onTopic
      ? 1.5
      : 0
  return (onTopic ? 1.5 : 0) + slot
}

/** Distinct markers in the text, at most two. */
function markers(text: string, patterns: readonly RegExp[]): number {
  return Math.min(2, patterns.filter((pattern) => pattern.test(text)).length)
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []
}

function repeatedShare(text: readonly string[]): number {
  const triples = text.slice(2).map((word, index) => `${text[index]} ${text[index + 1]} ${word}`)
  return triples.length === 0 ? 0 : 1 - new Set(triples).size / triples.length
}
