import type { PairSums } from '../formulas/preferences.js'
import { withTokens, withWhole, type ExampleCase, type Numbers } from './example.js'
import type { Subject } from './subject.js'

/** What a pairwise objective compares: scores where it reads them, else summed log-probs. */
export const comparesScores = ({ objective }: Subject): boolean => objective.outputs.includes('scores')

export const hasReference = ({ objective }: Subject): boolean => 'refLogProbs' in objective.inputs

const total = (tokens: readonly Numbers[], name: string): number =>
  tokens.reduce((sum, token) => sum + (token[name] ?? 0), 0)

/** The sums that losses of pairs are written in. */
export const pairSums = (examples: readonly ExampleCase[]): PairSums[] =>
  examples.map(({ sequences }) => {
    const [chosen, rejected] = sequences.map(({ tokens }) => ({
      logProb: total(tokens, 'logProbs'),
      refLogProb: total(tokens, 'refLogProbs'),
      length: tokens.length,
    }))
    return { chosen, rejected }
  })

/** Examples with `by(example, side)` added to what is compared (side 0 chosen, 1 rejected), spread over the tokens. */
export function shifted(
  subject: Subject,
  examples: readonly ExampleCase[],
  by: (example: number, side: number) => number,
  of: 'policy' | 'reference' = 'policy',
): ExampleCase[] {
  const name = of === 'policy' ? 'logProbs' : 'refLogProbs'
  if (of === 'policy' && comparesScores(subject))
    return withWhole(examples, (whole, { example, sequence }) => ({
      ...whole,
      scores: whole.scores + by(example, sequence),
    }))
  return withTokens(examples, (token, { example, sequence, length }) => ({
    ...token,
    [name]: token[name] + by(example, sequence) / length,
  }))
}

/** Examples with the policy equal to its reference; with scores, both scores equal. */
export function atReference(subject: Subject, examples: readonly ExampleCase[]): ExampleCase[] {
  if (comparesScores(subject)) {
    return examples.map(({ sequences: [chosen, rejected], pair }) => ({
      pair,
      sequences: [chosen, { ...rejected, whole: { ...rejected.whole, scores: chosen.whole.scores } }],
    }))
  }
  return withTokens(examples, (token) => ({ ...token, logProbs: token.refLogProbs }))
}

/** β (h_chosen − h_rejected) of each pair, or the difference of its scores. */
export function margins(subject: Subject, examples: readonly ExampleCase[], beta: number): number[] {
  if (comparesScores(subject))
    return examples.map(({ sequences: [chosen, rejected] }) => chosen.whole.scores - rejected.whole.scores)
  return pairSums(examples).map(
    ({ chosen, rejected }) => beta * (chosen.logProb - chosen.refLogProb - rejected.logProb + rejected.refLogProb),
  )
}

/** Examples with the margin of every pair made this number, by moving the chosen answer. */
export function withMargin(
  subject: Subject,
  examples: readonly ExampleCase[],
  beta: number,
  wanted: (example: number) => number,
): ExampleCase[] {
  const found = margins(subject, examples, beta)
  const scale = comparesScores(subject) ? 1 : beta
  return shifted(subject, examples, (example, side) => (side === 0 ? (wanted(example) - found[example]) / scale : 0))
}

/** Gradient by what is compared, per pair and side: by scores, or by the first token’s log-prob. */
export function sideGradients(subject: Subject, examples: readonly ExampleCase[]): [number, number][] {
  const { gradient } = subject.judge([examples])
  const byScores = comparesScores(subject)
  const values = gradient[byScores ? 'scores' : 'logProbs'] ?? []
  let at = 0
  return examples.map(({ sequences }) => {
    const [chosen, rejected] = sequences.map(({ tokens }) => {
      const value = values[at]
      at += byScores ? 1 : tokens.length
      return value
    })
    return [chosen, rejected]
  })
}
