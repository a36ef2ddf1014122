import type { Objective, Unit } from '@collimate/core'
import type { Tensor } from '@collimate/graph'
import fc, { type Arbitrary } from 'fast-check'

/** Numbers by name: outputs of the model and inputs of the objective. */
export type Numbers = Readonly<Record<string, number>>

/** One completion: what the model and the batch say of its tokens, and of the whole. */
export interface SequenceCase {
  readonly tokens: readonly Numbers[]
  readonly whole: Numbers
}

/** One example: a pair has two sequences (chosen, rejected), anything else one. */
export interface ExampleCase {
  readonly sequences: readonly SequenceCase[]
  readonly pair: Numbers
}

/** What the examples of an objective look like. */
export interface ExampleShape {
  readonly objective: Pick<Objective<Tensor>, 'inputs'>
  /** Sequences of an example. */
  readonly sequences: 1 | 2
  /** How an input is drawn, by name, or the number it always is; default log-probs for names that end in LogProbs, else around 0. */
  readonly inputs?: Readonly<Record<string, Arbitrary<number> | number>>
}

/** Numbers on a grid, so that a counterexample can be read; the simplest is the one nearest 0. */
export const grid = (min: number, max: number, step = 1 / 8): Arbitrary<number> =>
  fc.integer({ min: Math.ceil(min / step), max: Math.floor(max / step) }).map((k) => k * step || 0)

export const logProb = grid(-6, 0)

const outputs = {
  tokens: {
    logProbs: logProb,
    entropy: grid(0, 4),
    correct: fc.constantFrom(0, 1),
    meanLogits: grid(-4, 4),
    values: grid(-4, 4),
  },
  sequences: { scores: grid(-6, 6) },
  pairs: {},
} as const satisfies Record<Unit, Record<string, Arbitrary<number>>>

function numbers({ objective, inputs = {} }: ExampleShape, unit: Unit): Arbitrary<Numbers> {
  const declared = Object.entries(objective.inputs).filter(([, of]) => of === unit)
  const usual = (name: string) => (/logProbs$/i.test(name) ? logProb : grid(-3, 3))
  const drawn = declared.map(([name]) => {
    const given = inputs[name] ?? usual(name)
    return [name, typeof given === 'number' ? fc.constant(given) : given]
  })
  return fc.record({ ...outputs[unit], ...Object.fromEntries(drawn) })
}

export interface ExampleLimits {
  /** Examples; default 1 to 4. */
  readonly fewest?: number
  readonly most?: number
  /** Every sequence of an example has as many tokens. */
  readonly equalLengths?: boolean
}

/** Random examples of uneven lengths, one to four tokens each. */
export function examplesOf(shape: ExampleShape, limits: ExampleLimits = {}): Arbitrary<readonly ExampleCase[]> {
  const { fewest = 1, most = 4, equalLengths = false } = limits
  const sequence = (length: Arbitrary<number>) =>
    length.chain((count) =>
      fc.record({
        tokens: fc.array(numbers(shape, 'tokens'), { minLength: count, maxLength: count }),
        whole: numbers(shape, 'sequences'),
      }),
    )
  const length = fc.integer({ min: 1, max: 4 })
  const sequences = (of: Arbitrary<number>) =>
    fc.array(sequence(of), { minLength: shape.sequences, maxLength: shape.sequences })
  const example = fc.record({
    sequences: equalLengths ? length.chain((count) => sequences(fc.constant(count))) : sequences(length),
    pair: numbers(shape, 'pairs'),
  })
  return fc.array(example, { minLength: fewest, maxLength: most })
}

/** Examples with the numbers of each token replaced. */
export const withTokens = (
  examples: readonly ExampleCase[],
  change: (token: Numbers, place: { example: number; sequence: number; token: number; length: number }) => Numbers,
): ExampleCase[] =>
  examples.map(({ sequences, pair }, example) => ({
    pair,
    sequences: sequences.map(({ tokens, whole }, sequence) => ({
      whole,
      tokens: tokens.map((token, at) => change(token, { example, sequence, token: at, length: tokens.length })),
    })),
  }))

/** Examples with the numbers of each sequence replaced. */
export const withWhole = (
  examples: readonly ExampleCase[],
  change: (whole: Numbers, place: { example: number; sequence: number }) => Numbers,
): ExampleCase[] =>
  examples.map(({ sequences, pair }, example) => ({
    pair,
    sequences: sequences.map(({ tokens, whole }, sequence) => ({
      tokens,
      whole: change(whole, { example, sequence }),
    })),
  }))

/** Chosen and rejected exchanged. */
export const swapped = (examples: readonly ExampleCase[]): ExampleCase[] =>
  examples.map(({ sequences: [chosen, rejected], pair }) => ({ pair, sequences: [rejected, chosen] }))

/** An example in the field's terms; `names` are the numbers that matter. */
export function showExamples(examples: readonly ExampleCase[], names: readonly string[]): string {
  const list = (tokens: readonly Numbers[], name: string) =>
    `${name} [${tokens.map((token) => token[name]).join(', ')}]`
  const sequence = ({ tokens, whole }: SequenceCase) =>
    names
      .flatMap((name) =>
        tokens[0]?.[name] !== undefined ? [list(tokens, name)] : name in whole ? [`${name} ${whole[name]}`] : [],
      )
      .join(' ')
  return examples
    .map(({ sequences, pair }) => {
      const parts = sequences.length === 2 ? ['chosen', 'rejected'] : ['sequence']
      const of = Object.entries(pair).map(([name, value]) => `${name} ${value}`)
      return [...sequences.map((one, k) => `${parts[k]} ${sequence(one)}`), ...of].join(', ')
    })
    .join(' | ')
}
