import { stream, uniform } from '@collimate/core'
import type { GenerateRequest, Generation } from '@collimate/core'
import type { Contexts } from './contexts.js'
import { endToken, normalise } from './world.js'

/** Log-probabilities of the next token in a context. */
export type NextTokens = (context: number) => readonly number[]

/** Samples from a table, token by token: each is decided by (seed, stream, index) through the cumulative distribution. */
export function generateFrom(
  logitsOf: NextTokens,
  contexts: Contexts,
  contextLength: number,
  { prompts, sampling, streams }: GenerateRequest,
): Omit<Generation, 'version'> {
  const stops = new Set(sampling.stopTokens ?? [endToken])
  const results = prompts.map((prompt, number) => {
    const most = Math.min(sampling.maxNewTokens, contextLength - prompt.length)
    const tokens: number[] = []
    const logProbs: number[] = []
    let context = contexts.of(prompt)
    let stopped = false
    while (!stopped && tokens.length < most) {
      const u = uniform(sampling.seed, stream('sampling', streams?.[number] ?? number), tokens.length)
      const tempered = normalise(logitsOf(context).map((logit) => logit / (sampling.temperature || 1)))
      const token = sampling.temperature === 0 ? argmax(tempered) : pick(truncate(tempered.map(Math.exp), sampling), u)
      tokens.push(token)
      logProbs.push(tempered[token])
      stopped = stops.has(token)
      context = contexts.next(context, token)
    }
    return { tokens, logProbs, endedBy: stopped ? ('stop' as const) : ('length' as const) }
  })
  return {
    completions: results.map(({ tokens }) => Int32Array.from(tokens)),
    logProbs: results.map(({ logProbs }) => Float32Array.from(logProbs)),
    endedBy: results.map(({ endedBy }) => endedBy),
    temperature: sampling.temperature,
  }
}

const argmax = (values: readonly number[]): number => values.indexOf(Math.max(...values))

/** Probabilities with those of the excluded tokens 0: top-k with the ties of the k-th, then top-p of what is left. */
function truncate(probabilities: readonly number[], { topK, topP }: GenerateRequest['sampling']): readonly number[] {
  const descending = (values: readonly number[]): number[] => [...values].sort((a, b) => b - a)
  const from = (values: readonly number[], least: number): number[] => values.map((p) => (p >= least ? p : 0))
  const kept = topK === undefined ? probabilities : from(probabilities, descending(probabilities)[topK - 1] ?? 0)
  if (topP === undefined) return kept
  const total = kept.reduce((sum, p) => sum + p, 0)
  let reached = 0
  for (const p of descending(kept)) {
    reached += p
    if (reached >= topP * total) return from(kept, p)
  }
  return kept
}

/** The first token of positive mass whose cumulative mass exceeds u of the total. */
function pick(masses: readonly number[], u: number): number {
  const target = u * masses.reduce((sum, mass) => sum + mass, 0)
  let reached = 0
  let last = 0
  for (const [token, mass] of masses.entries()) {
    if (mass <= 0) continue
    reached += mass
    last = token
    if (reached > target) break
  }
  return last
}
