import { existsSync, readFileSync } from 'node:fs'
import type { ObjectiveTensors } from '@collimate/core'
import { constant, div, evaluate, fill, gradients, input, mul, scatterAdd, sum, where } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { describe, expect, it } from 'vitest'
import { lossNames } from './losses.js'
import { dpoObjective } from './objective.js'
import type { DpoLossOptions } from './options.js'

/** Summed log-probs of pairs under policy and reference, and the tokens of each answer. */
interface Pairs {
  readonly chosen: readonly number[]
  readonly rejected: readonly number[]
  readonly refChosen: readonly number[]
  readonly refRejected: readonly number[]
  readonly lengths?: readonly number[]
}

const sigmoid: DpoLossOptions = { loss: 'sigmoid', beta: 0.1, labelSmoothing: 0, fDivergenceType: 'reverse_kl' }
const interleave = (a: readonly number[], b: readonly number[]) => a.flatMap((value, i) => [value, b[i] as number])

/** Loss, its gradient by the sum of each answer, and metrics, in float64. Padding: extra tokens and pairs of content `junk`. */
function judge(options: DpoLossOptions, pairs: Pairs, padding = { tokens: 0, pairs: 0, junk: 0 }) {
  const objective = dpoObjective(options)
  const count = pairs.chosen.length * 2
  const lengths = pairs.lengths ?? Array.from({ length: count }, () => 1)
  // Each answer's sum is spread over its tokens in unequal parts.
  const spread = (sums: readonly number[]) => sums.flatMap((total, n) => parts(total, lengths[n] as number))
  const pad = (values: readonly number[]) => [...values, ...Array.from({ length: padding.tokens }, () => padding.junk)]
  const sequences = [
    ...lengths.flatMap((length, n) => Array.from({ length }, () => n)),
    ...Array.from({ length: padding.tokens }, () => 0),
  ]
  const width = sequences.length
  const sequenceCount = count + 2 * padding.pairs
  const tokenMask = constant(
    sequences.map((_, k) => (k < width - padding.tokens ? 1 : 0)),
    [width],
  )
  const ids = constant(Int32Array.from(sequences), [width])
  const logProbs = input('logProbs', [width])
  const zero = fill(0, [width])
  const real = constant(
    Uint8Array.from(sequences, (_, k) => Number(k < width - padding.tokens)),
    [width],
  )
  const tensors: ObjectiveTensors<Tensor> = {
    logProbs,
    entropy: fill(2, [width]),
    correct: fill(1, [width]),
    meanLogits: constant(
      sequences.map((n) => (n % 2 === 0 ? 3 : 5)),
      [width],
    ),
    values: zero,
    scores: fill(0, [sequenceCount]),
    tokenMask,
    sequenceMask: constant(
      Array.from({ length: sequenceCount }, (_, n) => (n < count ? 1 : 0)),
      [sequenceCount],
    ),
    sequences: ids,
    inputs: { refLogProbs: constant(pad(spread(interleave(pairs.refChosen, pairs.refRejected))), [width]) },
    sumBySequence: (x) => scatterAdd(fill(0, [sequenceCount]), ids, where(real, x, zero), 0),
  }
  const pairMask = constant(
    Array.from({ length: sequenceCount / 2 }, (_, i) => (i < count / 2 ? 1 : 0)),
    [sequenceCount / 2],
  )
  const mean = (x: Tensor, mask: Tensor) => div(sum(mul(x, mask)), sum(mask))
  const [term] = objective.terms(tensors)
  const loss = mean((term as { perUnit: Tensor }).perUnit, pairMask)
  const [gradient] = gradients(loss, [logProbs]) as [Tensor]
  const metrics = objective.metrics(tensors)
  const names = Object.keys(metrics)
  const metricValues = names.map((name) => {
    const { perUnit, unit, select } = metrics[name] as NonNullable<(typeof metrics)[string]>
    const mask = unit === 'pairs' ? pairMask : tokenMask
    return mean(perUnit, select ? mul(mask, select) : mask)
  })
  const feeds = { logProbs: Float64Array.from(pad(spread(interleave(pairs.chosen, pairs.rejected)))) }
  const [lossValue, gradientValue, ...rest] = evaluate([loss, gradient, ...metricValues], feeds).map(({ data }) => data)
  const starts = lengths.map((_, n) => lengths.slice(0, n).reduce((a, b) => a + b, 0))
  return {
    loss: Number(lossValue?.[0]),
    tokenGradient: Array.from(gradientValue ?? [], Number),
    chosenGradient: starts.filter((_, n) => n % 2 === 0).map((at) => Number(gradientValue?.[at])),
    rejectedGradient: starts.filter((_, n) => n % 2 === 1).map((at) => Number(gradientValue?.[at])),
    metrics: Object.fromEntries(names.map((name, k) => [name, Number(rest[k]?.[0])])),
  }
}

function parts(total: number, length: number): number[] {
  const weights = Array.from({ length }, (_, k) => k + 1)
  const whole = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => (total * weight) / whole)
}

const near = (a: number, b: number, tolerance = 1e-9) =>
  expect(Math.abs(a - b) / Math.max(1, Math.abs(b)), `${a} is not ${b}`).toBeLessThan(tolerance)

describe('metrics of the DPO loss', () => {
  it('names its metrics as TRL does and counts accuracy on the chosen answers only', () => {
    const { metrics } = judge(sigmoid, {
      chosen: [-1, -2],
      rejected: [-3, -1],
      refChosen: [-1.5, -2.5],
      refRejected: [-2, -2],
      lengths: [2, 1, 3, 4],
    })
    near(metrics['rewards/chosen'] as number, 0.05)
    near(metrics['rewards/rejected'] as number, 0)
    near(metrics['rewards/margins'] as number, 0.05)
    near(metrics['rewards/accuracies'] as number, 0.5)
    near(metrics['logps/chosen'] as number, -1.5)
    near(metrics['logps/rejected'] as number, -2)
    expect(metrics).toMatchObject({ 'logits/chosen': 3, 'logits/rejected': 5, entropy: 2, mean_token_accuracy: 1 })
  })
})

interface Case {
  readonly name: string
  readonly settings: {
    readonly loss_type: string
    readonly beta: number
    readonly label_smoothing?: number
    readonly discopop_tau?: number
    readonly f_divergence_type?: DpoLossOptions['fDivergenceType']
    readonly f_alpha_divergence_coef?: number
  }
  readonly policy: 'normal' | 'at_reference' | 'extreme'
  readonly loss: number
  readonly per_pair_loss?: number[]
  readonly grad_chosen_logps: number[]
  readonly grad_rejected_logps: number[]
  readonly metrics?: Record<string, number>
}

/** TRL's settings under our names. */
const optionsOf = ({ settings }: Case): DpoLossOptions => ({
  loss: settings.loss_type === 'cdpo' ? 'sigmoid' : (settings.loss_type as DpoLossOptions['loss']),
  beta: settings.beta,
  labelSmoothing: settings.label_smoothing ?? 0,
  fDivergenceType: settings.f_divergence_type ?? 'reverse_kl',
  ...(settings.f_alpha_divergence_coef === undefined ? {} : { fAlphaDivergenceCoef: settings.f_alpha_divergence_coef }),
  ...(settings.discopop_tau === undefined ? {} : { discopopTau: settings.discopop_tau }),
})

const file = new URL('../../../test/parity/losses/dpo.json', import.meta.url)
describe.skipIf(!existsSync(file))('parity with TRL (losses/dpo.json)', () => {
  const { inputs, cases } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { inputs: {}, cases: [] }

  it('has every loss', () => {
    expect(new Set((cases as Case[]).map((c) => optionsOf(c).loss))).toEqual(new Set(lossNames))
  })

  it.each((cases as Case[]).map((c) => [`${c.name} ${c.settings.label_smoothing ?? ''}`, c] as const))('%s', (_, c) => {
    const { chosen_logps: chosen, rejected_logps: rejected } = inputs[c.policy]
    const { ref_chosen_logps: refChosen, ref_rejected_logps: refRejected } = inputs
    const lengths = interleave(inputs.chosen_lengths, inputs.rejected_lengths)
    const pairs = { chosen, rejected, refChosen, refRejected, lengths }
    // Padded pairs stand at the end: what sorts must leave them out.
    for (const padding of [undefined, { tokens: 2, pairs: 3, junk: NaN }]) {
      const judged = judge(optionsOf(c), pairs, padding)
      near(judged.loss, c.loss)
      judged.chosenGradient.forEach((value, i) => near(value, c.grad_chosen_logps[i] as number))
      judged.rejectedGradient.forEach((value, i) => near(value, c.grad_rejected_logps[i] as number))
      if (padding) continue
      for (const [name, value] of Object.entries(c.metrics ?? {})) near(judged.metrics[name] as number, value)
    }
  })
})
