import {
  add,
  attend,
  constant,
  evaluate,
  exp,
  expm1,
  gradients,
  input,
  log,
  log1p,
  logSigmoid,
  logSoftmax,
  logSumExp,
  mul,
  program,
  rsqrt,
  sampleExpression,
  softmax,
  softplus,
  sum,
  tanh,
  type Tensor,
} from '@collimate/graph'
import fc from 'fast-check'
import { law, type Law, require, Violation } from '../law.js'
import { draws, sourceOf } from './draws.js'
import { asSeen, type BackendSubject, runOnce, sameTensor, valuesOn } from './subject.js'
import { transformerStep } from './transformer-step.js'

/** Laws of whole programs: what ops do together. */
export function programLaws(subject: BackendSubject): Law[] {
  return [
    severalOutputs(subject),
    anyValue(subject),
    transformer(subject),
    sameBits(subject),
    extremes(subject),
    notANumber(subject),
    masks(subject),
  ]
}

const expressions = fc.record({ draws, steps: fc.integer({ min: 1, max: 14 }) })

function severalOutputs({ get, productTolerance }: BackendSubject): Law {
  return law({
    name: 'backend/several-outputs',
    statement: 'A program with several outputs gives each the value that the interpreter gives it, simplified or not',
    formula: 'run({f, ∂f/∂a, ∂f/∂b, ∂f/∂c}) = interpret({f, ∂f/∂a, ∂f/∂b, ∂f/∂c})',
    source: 'packages/graph/src/interpret.ts: the float64 interpreter judges every backend',
    cost: 10,
    arbitrary: fc.record({ expression: expressions, simplify: fc.boolean() }),
    show: ({ expression: { draws: drawn, steps }, simplify }) =>
      `an expression of ${steps} steps from seed ${drawn.seed}, ${simplify ? 'simplified' : 'as it stands'}`,
    holds: async ({ expression: { draws: drawn, steps }, simplify }) => {
      const backend = await get()
      const { tensor, inputs, values } = sampleExpression(sourceOf(drawn), steps)
      const derivatives = gradients(sum(tensor), inputs)
      const outputs = { f: tensor, 'df/da': derivatives[0], 'df/db': derivatives[1], 'df/dc': derivatives[2] }
      const feeds = asSeen(values, await backend.capabilities())
      const actual = await runOnce(backend, program({ name: 'law', outputs, simplify }), feeds)
      for (const [name, expected] of Object.entries(outputs)) {
        sameTensor(name, actual[name], evaluate(expected, feeds), 10 * productTolerance)
      }
    },
  })
}

function anyValue({ get }: BackendSubject): Law {
  return law({
    name: 'backend/any-value-can-be-an-output',
    statement: 'Inputs, constants and one value under two names can be outputs, each in an array of its own',
    formula: 'run({x, c, x + x, x + x}) = (x, c, 2x, 2x), no two sharing memory',
    source: 'packages/core/src/contracts/backend.ts: outputs come in freshly allocated arrays',
    cost: 5,
    arbitrary: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 5 }),
    show: (values) => `x = [${values.join(', ')}]`,
    holds: async (values) => {
      const x = input('x', [values.length])
      const twice = add(x, x)
      const outputs = { x, again: x, fixed: constant([1, 2, 3]), twice, double: twice }
      const feed = Float32Array.from(values)
      const actual = await valuesOn(await get(), outputs, { x: feed })
      for (const [name, expected] of Object.entries(outputs)) {
        sameTensor(name, actual[name], evaluate(expected, { x: feed }), 0)
        actual[name].fill(99)
      }
      require(values.every(
        (value, i) => feed[i] === value,
      ), 'writing into an output changed the feed: they share memory')
    },
  })
}

function transformer({ get, productTolerance }: BackendSubject): Law {
  return law({
    name: 'backend/transformer',
    statement: 'Loss and gradients of a transformer layer under a preference loss equal the float64 interpreter',
    formula: 'L = −log σ(β (log π(y_w) − log π(y_l))) − ½ mean log π; run({L, ∇L}) = interpret({L, ∇L})',
    source: 'Rafailov et al., arXiv 2305.18290, eq. 7; every family of ops in one differentiated program',
    cost: 10,
    arbitrary: draws,
    show: (drawn) => transformerStep(sourceOf(drawn)).sizes,
    holds: async (drawn) => {
      const backend = await get()
      const { loss, weights, values } = transformerStep(sourceOf(drawn))
      const derivatives = gradients(
        loss,
        weights.map(({ tensor }) => tensor),
      )
      const outputs: Record<string, Tensor> = { loss }
      weights.forEach(({ name }, i) => (outputs[`d ${name}`] = derivatives[i]))
      const compiled = program({ name: 'step', outputs })
      const states = Object.fromEntries(
        weights.map(({ name, tensor: { shape } }) => [name, { dtype: 'float' as const, shape, data: values[name] }]),
      )
      const state = await backend.state({ tensors: states })
      const executable = await backend.compile({ program: compiled })
      const feeds = Object.fromEntries(Object.entries(values).filter(([name]) => !(name in states)))
      const actual = await backend.run({ executable, feeds, states: [state] })
      for (const [name, expected] of Object.entries(outputs)) {
        sameTensor(name, actual[name], evaluate(expected, values), 5 * productTolerance)
      }
      for (const id of [state, executable]) await backend.release({ id })
    },
  })
}

function sameBits({ get }: BackendSubject): Law {
  return law({
    name: 'backend/same-bits',
    statement: 'The same program on the same inputs gives the same bits, run again or compiled again',
    formula: 'run(p, x) = run(p, x), bit by bit',
    source: 'open-instruct#1523: a resumed run that differs; the same bits on the same backend',
    cost: 10,
    arbitrary: expressions,
    show: ({ draws: drawn, steps }) => `an expression of ${steps} steps from seed ${drawn.seed}`,
    holds: async ({ draws: drawn, steps }) => {
      const backend = await get()
      const { tensor, inputs, values } = sampleExpression(sourceOf(drawn), steps)
      const compiled = program({ name: 'law', outputs: { f: tensor, g: gradients(sum(tensor), inputs)[0] } })
      const first = await runOnce(backend, compiled, values)
      for (const again of [await runOnce(backend, compiled, values), await runOnce(backend, compiled, values)]) {
        for (const name of ['f', 'g']) {
          const [one, other] = [first[name], again[name]]
          const at = one.findIndex((value: number, i: number) => !Object.is(value, other[i]))
          require(at === -1, `output ${name}: element ${at} was ${one[at]} and is ${other[at]} the next time`)
        }
      }
    },
  })
}

const far = [-1e4, -100, -40, -20, -1, -1e-3, -1e-6, 0, 1e-6, 1e-3, 1, 20, 40, 80]
const above = (least: number): number[] => far.filter((value) => value > least)

/** Ops that a naive formula breaks far from 0 or near it, with where they are asked. */
const stable: Readonly<Record<string, { op: (x: Tensor) => Tensor; at: readonly number[] }>> = {
  logSigmoid: { op: logSigmoid, at: [...far, 1e4] },
  softplus: { op: softplus, at: [...far, 1e4] },
  expm1: { op: expm1, at: far },
  log1p: { op: log1p, at: [-0.999, ...above(-1), 1e4] },
  exp: { op: exp, at: above(-100) },
  log: { op: log, at: above(0) },
  rsqrt: { op: rsqrt, at: above(0) },
  tanh: { op: tanh, at: [...far, 1e4] },
}

function extremes({ get, tolerance }: BackendSubject): Law {
  return law({
    name: 'backend/far-and-near',
    statement:
      'logSigmoid, softplus, expm1, log1p, exp, log, rsqrt and tanh keep their digits far from 0 and next to it',
    formula: '|f(x) − interpreter| ≤ tolerance / 10 · |interpreter| for |x| from 1e-6 to 1e4',
    source: 'OpenRLHF LogExpLoss: log(1 + exp(x)) overflows; jax-js softplus and logSigmoid',
    cost: 4,
    arbitrary: fc.record(
      Object.fromEntries(
        Object.entries(stable).map(([name, { at }]) => [name, fc.subarray([...at], { minLength: at.length - 2 })]),
      ),
    ),
    show: (points) =>
      Object.entries(points)
        .map(([name, xs]) => `${name} at ${xs.join(', ')}`)
        .join('; '),
    holds: async (points) => {
      const feeds = Object.fromEntries(Object.entries(points).map(([name, xs]) => [name, Float32Array.from(xs)]))
      const outputs = Object.fromEntries(
        Object.entries(feeds).map(([name, data]) => [name, stable[name].op(input(name, [data.length]))]),
      )
      const actual = await valuesOn(await get(), outputs, feeds)
      for (const [name, data] of Object.entries(feeds))
        evaluate(outputs[name], feeds).data.forEach((value, i) => {
          if (Math.abs(actual[name][i] - value) <= (tolerance / 10) * Math.abs(value) + 1e-37) return
          throw new Violation(`${name}(${data[i]}) is ${actual[name][i]}, the law says ${value}`)
        })
    },
  })
}

function notANumber({ get }: BackendSubject): Law {
  return law({
    name: 'backend/not-a-number',
    statement: 'NaN goes through sums, products and functions: a diverged model cannot look like a healthy one',
    formula: 'NaN + 1, NaN · 1, exp NaN, Σ (…, NaN, …) and 0 · NaN are NaN',
    source: 'OpenRLHF#1240, verl#6361; COLLIMATE_NOT_FINITE is found by looking at the loss',
    cost: 4,
    arbitrary: fc.record({ before: fc.nat(4), behind: fc.nat(4), factor: fc.constantFrom(0, 1, -2) }),
    show: ({ before, behind, factor }) => `NaN behind ${before} and before ${behind} numbers, times ${factor}`,
    holds: async ({ before, behind, factor }) => {
      const data = new Float32Array(before + 1 + behind).fill(1)
      data[before] = NaN
      const x = input('x', [data.length])
      const factors = input('factors', [data.length])
      const outputs = { sum: sum(x), plus: add(x, 1), exp: exp(x), times: mul(x, factors), both: sum(mul(x, factors)) }
      const feeds = { x: data, factors: new Float32Array(data.length).fill(factor) }
      const actual = await valuesOn(await get(), outputs, feeds)
      for (const name of Object.keys(outputs)) {
        const values = Array.from(actual[name])
        const at = values.length === 1 ? 0 : before
        values.forEach((value, i) =>
          require(Number.isNaN(value) === (i === at), `${name}[${i}] is ${value} where x[${before}] is NaN`),
        )
      }
    },
  })
}

function masks({ get, productTolerance }: BackendSubject): Law {
  return law({
    name: 'backend/masks',
    statement:
      'softmax, log-softmax, log-sum-exp and attention stay finite and right under masks of −1e9 and scores of 1e4',
    formula: 'softmax([1e4, 0, −1e9]) = [1, 0, 0]',
    source: 'OpenRLHF#1240: NaN through masked scores',
    cost: 5,
    arbitrary: fc.array(fc.constantFrom(1e4, 5, 1, 0, -4, -1e4, -1e9), { minLength: 1, maxLength: 6 }),
    show: (row) => `scores [${row.join(', ')}]`,
    holds: async (row) => {
      const data = Float32Array.from(row)
      const x = input('x', [1, row.length])
      const values = constant(
        row.map((_, i) => i + 1),
        [row.length, 1],
      )
      const outputs = {
        softmax: softmax(x),
        logSoftmax: logSoftmax(x),
        logSumExp: logSumExp(x),
        attend: attend(x, values),
      }
      const actual = await valuesOn(await get(), outputs, { x: data })
      for (const [name, expected] of Object.entries(outputs)) {
        sameTensor(name, actual[name], evaluate(expected, { x: data }), productTolerance)
      }
    },
  })
}
