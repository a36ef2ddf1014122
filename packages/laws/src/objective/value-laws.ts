import type { ModelOutput } from '@collimate/core'
import { lossProgram } from '@collimate/models'
import fc from 'fast-check'
import { law, near, Violation, type Law } from '../law.js'
import { withTokens, withWhole, type ExampleCase } from './example.js'
import { tableModel } from './judge.js'
import { layOut } from './layout.js'
import { finiteJudgement, type Subject } from './subject.js'

/** The mean loss of examples, written as plain numbers. */
export type LossFormula = (examples: readonly ExampleCase[]) => number

/** Laws about the values of a loss and its derivative. */
export function valueLaws(subject: Subject, formula?: LossFormula): Law[] {
  const { judge, show, objective } = subject
  const trials = (count: number) =>
    fc.noShrink(fc.array(subject.examples({ fewest: 2 }), { minLength: count, maxLength: count }))
  return [
    law({
      name: 'objective/formula',
      statement: 'The loss is its formula, written independently in plain float64 numbers, at every input.',
      formula: 'L = formula',
      source: 'the paper of the loss; torchtune issue 1291: an averaged IPO where the sum was meant',
      capability: 'formula',
      arbitrary: subject.examples(),
      show,
      holds: (examples) => near(judge([examples]).loss, (formula as LossFormula)(examples), 1e-9, 'the loss'),
    }),
    law({
      name: 'objective/finite',
      statement:
        'Log-probs, ratios and scores of ±10000 give a finite loss, gradient and metrics, equal to the formula where there is one.',
      formula: '|log π − log π_ref| = 1e4 → L finite',
      source: 'OpenRLHF LogExpLoss and jax-js softplus: log(1 + exp(x)) overflows',
      arbitrary: subject
        .examples()
        .chain((examples) =>
          fc
            .array(fc.constantFrom(0, 1, -1), { minLength: 2 * examples.length, maxLength: 2 * examples.length })
            .map((far) => extreme(examples, far, objective.outputs)),
        ),
      show,
      holds: (examples) => {
        const judged = judge([examples])
        finiteJudgement(judged)
        if (formula) near(judged.loss, formula(examples), 1e-9, 'the loss')
      },
    }),
    law({
      name: 'objective/gradient',
      statement: 'The gradient is that of the loss: nothing that the loss depends on is left out of it.',
      formula: '∂L/∂x = lim (L(x + h) − L(x − h)) / 2h',
      source: 'central differences; mlx-lm-lora lets gradient through advantages, verl’s k3+ through another estimator',
      capability: 'fullGradient',
      arbitrary: subject.examples({ most: 3 }),
      show,
      holds: (examples) => {
        const judged = judge([examples])
        for (const [output, values] of Object.entries(judged.gradient))
          values.forEach((value, at) => {
            const lossAt = (step: number) => judge([moved(examples, output as ModelOutput, at, step)]).loss
            const { slope, left, right } = slopesAt(lossAt, judged.loss)
            const tolerance = 1e-5 * Math.max(1, Math.abs(slope)) + 2e-9 * Math.abs(judged.loss)
            // At a kink (of a hinge, or where two margins exchange their ranks) any slope between the two sides will do.
            const [least, most] = [Math.min(left, right, slope), Math.max(left, right, slope)]
            near(value, Math.min(Math.max(value, least), most), tolerance, `the gradient by ${output} ${at}`)
          })
      },
      cost: 8,
    }),
    law({
      name: 'objective/declares-outputs',
      statement: 'The loss reads no output of the model that it does not declare.',
      formula: 'terms(t) reads t.o → o ∈ outputs',
      source: 'the contract of Objective: a model that lacks an output refuses the objective',
      arbitrary: subject.examples(),
      show,
      holds: (examples) => {
        const { sizes } = layOut(examples, objective)
        lossProgram(tableModel(objective, sizes, 'refused'), { objective, sizes, metrics: false, gradients: 'assign' })
      },
    }),
    law({
      name: 'options/inputs',
      statement: 'Every input that the objective declares changes its loss or a metric.',
      formula: '∃ x, x′ that differ in the input: L(x) ≠ L(x′)',
      source: 'TRL issue 3926: silent no-ops',
      // Many, since a clipped loss does not see what is clipped before and after.
      arbitrary: trials(8),
      show: ([first, ...others]) => `${show(first)}; and ${others.length} more`,
      holds: (cases) => {
        for (const [name, unit] of Object.entries(objective.inputs)) {
          const changes = cases.some((examples) => {
            // Signs differ, so that no constant of the prompt and no common factor hides the change.
            const shift = (of: Readonly<Record<string, number>>, odd: boolean) => ({
              ...of,
              [name]: toggled(of[name], odd),
            })
            const changed =
              unit === 'tokens'
                ? withTokens(examples, (token, { sequence }) => shift(token, sequence === 1))
                : unit === 'sequences'
                  ? withWhole(examples, (whole, { sequence }) => shift(whole, sequence === 1))
                  : examples.map((example) => ({ ...example, pair: shift(example.pair, false) }))
            const [before, after] = [judge([examples]), judge([changed])]
            return (
              before.loss !== after.loss ||
              Object.entries(before.metrics).some(([metric, { sum, count }]) => {
                const other = after.metrics[metric]
                return other.sum !== sum || other.count !== count
              })
            )
          })
          if (!changes) throw new Violation(`the input "${name}" changes nothing`)
        }
      },
      cost: 5,
    }),
  ]
}

/** Slope of a function at 0; at a kink, the slopes of its two sides, else those are the slope too. */
function slopesAt(f: (step: number) => number, here: number): { slope: number; left: number; right: number } {
  const [h, fine] = [1e-3, 5e-4]
  const [up, down, upFine, downFine] = [f(h), f(-h), f(fine), f(-fine)]
  const central = (4 * ((upFine - downFine) / (2 * fine)) - (up - down) / (2 * h)) / 3
  const bend = (above: number, below: number, step: number) => (above + below - 2 * here) / step
  // Curvature halves with the step, the jump at a kink stays.
  const jump = 2 * bend(upFine, downFine, fine) - bend(up, down, h)
  if (Math.abs(jump) < 1e-6 * Math.max(1, Math.abs(central)) + 2e-8 * Math.abs(here))
    return { slope: central, left: central, right: central }
  return { slope: central, left: (here - downFine) / fine, right: (upFine - here) / fine }
}

/** Another value for an input: a condition is turned, a number moves. */
const toggled = (value: number, odd: boolean): number => (value === 1 ? 0 : value + (odd ? 0.75 : -1.25))

/** The first token (and the score) of each sequence moved far up or down: [2 · example + sequence] −1, 0 or 1. */
function extreme(examples: readonly ExampleCase[], far: readonly number[], outputs: readonly string[]): ExampleCase[] {
  const distance = (example: number, sequence: number) => 1e4 * far[2 * example + sequence]
  const tokens = withTokens(examples, (token, { example, sequence, token: at }) => {
    const by = at === 0 ? distance(example, sequence) : 0
    // A log-prob is at most 0: where the ratio rises it is the others that fall, the reference or the policy that sampled.
    const others = Object.keys(token).filter((name) => name !== 'logProbs' && /logProbs$/i.test(name))
    if (others.length > 0 && by > 0)
      return { ...token, ...Object.fromEntries(others.map((name) => [name, token[name] - by])) }
    return { ...token, logProbs: token.logProbs - Math.abs(by) }
  })
  if (!outputs.includes('scores')) return tokens
  return withWhole(tokens, (whole, { example, sequence }) => ({
    ...whole,
    scores: whole.scores + distance(example, sequence),
  }))
}

/** Examples with one output moved by `step`: the `at`-th token, or sequence for scores. */
function moved(examples: readonly ExampleCase[], output: ModelOutput, at: number, step: number): ExampleCase[] {
  let count = 0
  if (output === 'scores')
    return withWhole(examples, (whole) => (count++ === at ? { ...whole, scores: whole.scores + step } : whole))
  return withTokens(examples, (token) => (count++ === at ? { ...token, [output]: token[output] + step } : token))
}
