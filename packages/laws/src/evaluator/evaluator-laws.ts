import type { Evaluator, TrainerContext } from '@collimate/core'
import fc from 'fast-check'
import { law, type Law, require, Violation } from '../law.js'
import { fingerprint } from '../options/fingerprint.js'
import { codeOf } from '../refused.js'
import { type EvaluationCase, evaluationCases, fakeContext, shownCase } from './fakes.js'

type Create = (seed: number) => Promise<Evaluator>
type Change = (fake: TrainerContext) => TrainerContext
const source = 'packages/core/src/contracts/evaluator.ts'

export function evaluatorLaws(create: Create, change: Change): Law[] {
  const measure = async (given: EvaluationCase) => {
    const { context, meddling } = fakeContext(given)
    const result = await (await create(given.seed)).evaluate(change(context))
    return { ...result, meddling }
  }
  return [
    numbers(measure),
    intervals(measure),
    samples(measure),
    again(measure),
    onlyMeasures(measure),
    requirements(create, change),
    nothingToMeasure(create, change),
  ]
}

type Measure = (
  given: EvaluationCase,
) => Promise<Awaited<ReturnType<Evaluator['evaluate']>> & { meddling: readonly string[] }>
const cases = { arbitrary: evaluationCases, show: shownCase, cost: 10 }

function numbers(measure: Measure): Law {
  return law({
    ...cases,
    name: 'evaluator/finite',
    statement: 'Every metric has a name, and is a finite number of at least one unit',
    formula: 'value ∈ ℝ, count ∈ {1, 2, ...} where it is given',
    source,
    holds: async (given) => {
      const { metrics } = await measure(given)
      require(Object.keys(metrics).length > 0, 'nothing is measured')
      for (const [name, { value, count }] of Object.entries(metrics)) {
        require(name.trim() !== '', 'a metric has no name')
        require(Number.isFinite(value), `${name} is ${value}`)
        require(count === undefined || (Number.isInteger(count) && count > 0), `${name} is the mean of ${count} units`)
      }
    },
  })
}

function intervals(measure: Measure): Law {
  return law({
    ...cases,
    name: 'evaluator/intervals',
    statement: 'A confidence interval has two finite ends, and its value lies between them',
    formula: 'low ≤ value ≤ high',
    source: 'packages/core/src/contracts/trainer.ts: Measurement',
    holds: async (given) => {
      for (const [name, { value, low, high }] of Object.entries((await measure(given)).metrics)) {
        if (low === undefined && high === undefined) continue
        require(Number.isFinite(low) && Number.isFinite(high), `${name} lies between ${low} and ${high}`)
        const rounding = 1e-12 * Math.max(1, Math.abs(value))
        require(low! <= value + rounding &&
          value <= high! + rounding, `${name} is ${value}, outside of its interval ${low} to ${high}`)
      }
    },
  })
}

function samples(measure: Measure): Law {
  return law({
    ...cases,
    name: 'evaluator/samples-are-named',
    statement: 'A sample is a prompt of the held-out rows with at least one text, each under the name of who said it',
    formula: 'sample = (x, {name: (y, score)}), x held out, score ∈ ℝ where it is given',
    source,
    holds: async (given) => {
      const { context } = fakeContext(given)
      const indices = Array.from({ length: given.rows }, (_, i) => i)
      const prompts = (await context.data.read('evaluation', indices)).map(({ text }) => text.prompt)
      for (const { prompt, completions } of (await measure(given)).samples) {
        require(prompts.includes(prompt), `the prompt ${JSON.stringify(prompt)} was not held out`)
        const said = Object.entries(completions)
        require(said.length > 0, `nobody says anything to ${JSON.stringify(prompt)}`)
        for (const [name, { text, score }] of said) {
          require(name.trim() !== '' &&
            typeof text === 'string', `${JSON.stringify(name)} says ${JSON.stringify(text)}`)
          require(score === undefined || Number.isFinite(score), `the score of ${name} is ${score}`)
        }
      }
    },
  })
}

function again(measure: Measure): Law {
  return law({
    ...cases,
    name: 'evaluator/deterministic',
    statement: 'The same policy, data and seed are measured the same, to the last bit and sample',
    formula: 'evaluate(c) = evaluate(c)',
    source: 'a difference between two runs must come from the runs',
    holds: async (given) => {
      const [one, two] = [await measure(given), await measure(given)]
      for (const [name, value] of Object.entries(one.metrics)) {
        const [before, after] = [fingerprint(value), fingerprint(two.metrics[name])]
        require(before === after, `${name} was ${before} and is ${after} the next time`)
      }
      require(fingerprint(one.metrics) === fingerprint(two.metrics), 'other metrics are there the next time')
      require(fingerprint(one.samples) === fingerprint(two.samples), 'other samples are shown the next time')
    },
  })
}

function onlyMeasures(measure: Measure): Law {
  return law({
    ...cases,
    name: 'evaluator/only-measures',
    statement:
      'An evaluator changes nothing: no update, restore or save, nothing closed that others use, no training example taken',
    formula: 'the policy and the place in the data after = before',
    source,
    holds: async (given) => {
      const outcome = await measure(given).catch((error: unknown) => {
        throw new Violation(`it fails: ${error instanceof Error ? error.message : String(error)}`)
      })
      require(outcome.meddling.length === 0, `it ${outcome.meddling.join(', ')}`)
    },
  })
}

function requirements(create: Create, change: Change): Law {
  return law({
    name: 'evaluator/requires',
    statement: 'An evaluator works without what it does not require, and refuses to work without what it does',
    formula: 'requires.reference: evaluate without one is refused with COLLIMATE_...; not required: it is measured',
    source,
    cost: 15,
    arbitrary: fc.record({ given: evaluationCases, missing: fc.constantFrom('reference', 'reward') }),
    show: ({ given, missing }) => `${shownCase(given)}, without a ${missing}`,
    holds: async ({ given, missing }) => {
      const evaluator = await create(given.seed)
      const required = evaluator.requires[missing]
      const context = change(fakeContext(given, missing).context)
      // What the caller's own context puts back is not missing.
      if (context[missing] !== undefined) return
      const error = await evaluator.evaluate(context).then(
        () => undefined,
        (caught: unknown) => caught ?? new Error('rejected with nothing'),
      )
      const text = error instanceof Error ? error.message : String(error)
      if (!required) require(error === undefined, `it does not require a ${missing}, and fails without: ${text}`)
      else
        require(codeOf(error)?.startsWith('COLLIMATE_') ===
          true, `it requires a ${missing}, and ${error === undefined ? 'goes on without' : `fails without it, without a code: ${text}`}`)
    },
  })
}

function nothingToMeasure(create: Create, change: Change): Law {
  return law({
    name: 'evaluator/no-rows',
    statement: 'Where nothing was held out it says so with a code, or measures something else: never NaN',
    formula: 'n = 0: COLLIMATE_..., or value ∈ ℝ',
    source: 'a mean of nothing is NaN, and NaN in a log stops nobody',
    cost: 25,
    arbitrary: fc.nat(99),
    show: (seed) => `no held-out rows, seed ${seed}`,
    holds: async (seed) => {
      const { context } = fakeContext({ rows: 0, seed, equal: false, flat: false })
      const result = await (await create(seed)).evaluate(change(context)).catch((error: unknown) => {
        const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
        require(codeOf(error)?.startsWith('COLLIMATE_') === true, `it is refused without a code: ${text}`)
      })
      for (const [name, { value, low, high }] of Object.entries(result?.metrics ?? {}))
        for (const number of [value, low ?? 0, high ?? 0])
          require(Number.isFinite(number), `${name} of nothing is ${number}`)
    },
  })
}
