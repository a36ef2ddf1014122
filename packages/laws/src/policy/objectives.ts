import { CollimateError } from '@collimate/core'
import type { LossTerm, ModelOutput, Objective, ObjectiveTensors, ObjectiveUse } from '@collimate/core'
import { abs, add, exp, logSigmoid, mul, neg, reshape, slice, square, sub, type Tensor } from '@collimate/graph'

/** Outputs that a loss has a gradient through; what else a model has follows from them or has none. */
const smooth = ['logProbs', 'values', 'scores'] as const satisfies readonly ModelOutput[]
export type SmoothOutput = (typeof smooth)[number]

/** Those of them that a model has. */
export const smoothOutputs = (outputs: readonly ModelOutput[]): readonly SmoothOutput[] =>
  smooth.filter((name) => outputs.includes(name))

/** [N] to the even and the odd sequences, [N/2] each. */
function halves(perSequence: Tensor): readonly [Tensor, Tensor] {
  const count = perSequence.size / 2
  const table = reshape(perSequence, [count, 2])
  const column = (k: number): Tensor => reshape(slice(table, [0, k], [count, k + 1]), [count])
  return [column(0), column(1)]
}

type Terms = readonly LossTerm<Tensor>[]
type Parts = Readonly<Record<SmoothOutput, (t: ObjectiveTensors<Tensor>) => Terms>>

/** A convex function above 1, without an extreme at 0. */
const parabola = (x: Tensor): Tensor => add(add(square(x), square(add(x, 1))), 1)

/** Any gradient there is: the weights choose the direction. What they weigh is about 1 or more, so that huge ones overflow. */
const weighted: Parts = {
  logProbs: (t) => [{ perUnit: neg(mul(t.inputs.weights, t.logProbs)), unit: 'tokens' }],
  values: (t) => [{ perUnit: mul(t.inputs.weights, parabola(t.values)), unit: 'tokens' }],
  scores: (t) => [{ perUnit: mul(t.sumBySequence(t.inputs.weights), parabola(t.scores)), unit: 'sequences' }],
}

/** All kinds of units at once, none of them linear in the outputs of a sequence. */
const everyUnitOf: Parts = {
  logProbs(t) {
    const sums = t.sumBySequence(t.logProbs)
    const [first, second] = halves(sums)
    return [
      { perUnit: mul(t.inputs.weights, square(t.logProbs)), unit: 'tokens', weight: 0.5 },
      { perUnit: square(add(sums, 1)), unit: 'sequences', weight: 0.1, select: 'chosen' },
      { perUnit: neg(logSigmoid(sub(first, second))), unit: 'pairs' },
    ]
  },
  values: (t) => [{ perUnit: square(sub(t.values, t.inputs.weights)), unit: 'tokens', weight: 0.5 }],
  scores(t) {
    const [first, second] = halves(t.scores)
    return [
      { perUnit: square(sub(t.scores, 1)), unit: 'sequences', weight: 0.1, select: 'chosen' },
      { perUnit: neg(logSigmoid(sub(first, second))), unit: 'pairs' },
    ]
  },
}

const metricsOf: Readonly<Record<SmoothOutput, Objective<Tensor>['metrics']>> = {
  logProbs: (t) => ({ logProb: { perUnit: t.logProbs, unit: 'tokens' } }),
  values: (t) => ({ value: { perUnit: t.values, unit: 'tokens' } }),
  scores: (t) => ({ score: { perUnit: t.scores, unit: 'sequences' } }),
}

const marginsOf: Readonly<Record<SmoothOutput, Objective<Tensor>['metrics']>> = {
  logProbs(t) {
    const [first, second] = halves(t.sumBySequence(t.logProbs))
    return { margin: { perUnit: sub(first, second), unit: 'pairs' } }
  },
  values: () => ({}),
  scores(t) {
    const [first, second] = halves(t.scores)
    return { scoreMargin: { perUnit: sub(first, second), unit: 'pairs' } }
  },
}

/** An objective from its parts, one for each output. */
function sumOf(
  parts: Pick<Objective<Tensor>, 'name' | 'inputs'> & { readonly terms: Parts; readonly metrics: (typeof metricsOf)[] },
  outputs: readonly SmoothOutput[],
): Objective<Tensor> {
  return {
    ...{ name: parts.name, inputs: parts.inputs, outputs, coupled: false },
    terms: (t) => outputs.flatMap((output) => parts.terms[output](t)),
    metrics: (t) =>
      Object.assign({}, ...parts.metrics.flatMap((of) => outputs.map((output) => of[output](t)))) as ReturnType<
        Objective<Tensor>['metrics']
      >,
  }
}

const makers: Readonly<Record<string, (outputs: readonly SmoothOutput[]) => Objective<Tensor>>> = {
  'laws-weighted-likelihood': (outputs) =>
    sumOf(
      { name: 'laws-weighted-likelihood', inputs: { weights: 'tokens' }, terms: weighted, metrics: [metricsOf] },
      outputs,
    ),
  'laws-every-unit': (outputs) =>
    sumOf(
      {
        name: 'laws-every-unit',
        inputs: { weights: 'tokens', chosen: 'sequences' },
        terms: everyUnitOf,
        metrics: [marginsOf, metricsOf],
      },
      outputs,
    ),
  // Up the mean of the scores.
  'laws-score-ascent': () => ({
    ...{ name: 'laws-score-ascent', outputs: ['scores'], inputs: {}, coupled: false, metrics: () => ({}) },
    terms: (t) => [{ perUnit: neg(t.scores), unit: 'sequences' }],
  }),
  // The unclipped surrogate of policy-gradient methods.
  'laws-importance-ratio': () => ({
    ...{ name: 'laws-importance-ratio', outputs: ['logProbs'], coupled: false },
    inputs: { oldLogProbs: 'tokens', advantages: 'tokens' },
    terms: (t) => [
      { perUnit: neg(mul(exp(sub(t.logProbs, t.inputs.oldLogProbs)), t.inputs.advantages)), unit: 'tokens' },
    ],
    metrics: (t) => ({
      deviation: { perUnit: abs(sub(exp(sub(t.logProbs, t.inputs.oldLogProbs)), 1)), unit: 'tokens' },
    }),
  }),
}

/**
 * The objectives that the laws of a policy train with; hand them to the policy as its registry would. The option `outputs`
 * names the outputs that an objective reads, default those of a language model.
 */
export async function lawObjectives({ use, options }: ObjectiveUse): Promise<Objective> {
  const { outputs = ['logProbs'] } = options as { readonly outputs?: readonly SmoothOutput[] }
  if (Object.hasOwn(makers, use)) return makers[use](outputs) as Objective
  throw new CollimateError('COLLIMATE_PLUGIN_UNKNOWN', `the laws have no objective "${use}"`)
}

export const weightedLikelihood: ObjectiveUse = { use: 'laws-weighted-likelihood', options: {} }
export const scoreAscent: ObjectiveUse = { use: 'laws-score-ascent', options: {} }
export const importanceRatio: ObjectiveUse = { use: 'laws-importance-ratio', options: {} }

/** The objectives that read every smooth output of a model. */
export interface LawObjectives {
  readonly weighted: ObjectiveUse
  readonly everyUnit: ObjectiveUse
}

export function objectivesOver(outputs: readonly ModelOutput[]): LawObjectives {
  const options = { outputs: smoothOutputs(outputs) }
  return {
    weighted: { use: 'laws-weighted-likelihood', options },
    everyUnit: { use: 'laws-every-unit', options },
  }
}
