import type { OpAttributes } from '@collimate/graph'
import type { GraphBuilder } from '../graph-builder.js'
import { indexing } from './indexing.js'
import { elementwise } from './elementwise.js'
import { only, type Lowering, type Lowerings, type Value } from './lowering.js'

/** x − max along an axis, that maximum, and Σ exp(x − max): what keeps exponentials from overflowing. */
function shifted(graph: GraphBuilder, { name }: Value, axis: number) {
  const kept = { attributes: { keepdims: { int: 1 } } }
  const top = graph.emit('ReduceMax', [name, graph.list([axis])], kept)
  const below = graph.emit('Sub', [name, top])
  const total = graph.emit('ReduceSum', [graph.emit('Exp', [below]), graph.list([axis])], kept)
  return { top, below, logTotal: graph.emit('Log', [total]) }
}

/**
 * For every device but the CPU. ReduceLogSumExp of WebGPU overflows at 1e4, and WebGPU has no LogSoftmax; that of CUDA
 * subtracts (max + log Σ) and so rounds log Σ away at −1e4.
 */
export const onDevices = {
  logSoftmax: (graph, inputs) => {
    const { below, logTotal } = shifted(graph, only(inputs), -1)
    return graph.emit('Sub', [below, logTotal])
  },
  logSumExp: (graph, inputs, { axis }, { shape }) => {
    const { top, logTotal } = shifted(graph, only(inputs), axis)
    return graph.emit('Reshape', [graph.emit('Add', [top, logTotal]), graph.list(shape)], {
      attributes: { allowzero: { int: 1 } },
    })
  },
} satisfies Partial<Lowerings<OpAttributes>>

/** A kernel that refuses a tensor without axes gets one of a single element. */
function ofRankOne<Attributes>(lowering: Lowering<Attributes>): Lowering<Attributes> {
  return (graph, inputs, attributes, output) => {
    if (output.shape.length > 0) return lowering(graph, inputs, attributes, output)
    const reshaped = inputs.map((input) => {
      return { ...input, shape: [1], name: graph.emit('Reshape', [input.name, graph.list([1])]) }
    })
    const name = lowering(graph, reshaped, attributes, { ...output, shape: [1] })
    return graph.emit('Reshape', [name, graph.list([])])
  }
}

/**
 * An index that the program computes, held inside its table: the kernels of CUDA read and write where it points. Indices
 * that are feeds were checked before the run.
 */
function held(graph: GraphBuilder, table: Value, index: Value, axis: number): Value {
  if (graph.checked.has(index.name)) return index
  const length = table.shape[axis] ?? 1
  const least = graph.emit('Max', [index.name, graph.scalar(-length, 'int')])
  return { ...index, name: graph.emit('Min', [least, graph.scalar(length - 1, 'int')]) }
}

function heldIndices<Attributes extends { readonly axis: number }>(
  lowering: Lowering<Attributes>,
): Lowering<Attributes> {
  return (graph, inputs, attributes, output) => {
    const [table, index, ...rest] = [only(inputs, 0), only(inputs, 1), ...inputs.slice(2)]
    return lowering(graph, [table, held(graph, table, index, attributes.axis), ...rest], attributes, output)
  }
}

export const onCuda = {
  gelu: ofRankOne(elementwise.gelu as Lowering<OpAttributes['gelu']>),
  gather: heldIndices(indexing.gather as Lowering<OpAttributes['gather']>),
  takeAlong: heldIndices(indexing.takeAlong as Lowering<OpAttributes['takeAlong']>),
  scatterAdd: heldIndices(indexing.scatterAdd as Lowering<OpAttributes['scatterAdd']>),
} satisfies Partial<Lowerings<OpAttributes>>

/** Σ coefficients[k] xᵏ by Horner's rule. */
function polynomial(graph: GraphBuilder, x: string, coefficients: readonly number[]): string {
  const [last = 0, ...before] = [...coefficients].reverse()
  return before.reduce<string>(
    (sum, coefficient) => graph.emit('Add', [graph.emit('Mul', [sum, x]), graph.scalar(coefficient)]),
    graph.scalar(last),
  )
}

/** `near` of x where |x| < bound, otherwise `far` of x; `near` sees 0 where it does not count. */
function piecewise(
  graph: GraphBuilder,
  x: string,
  bound: number,
  near: (x: string) => string,
  far: (x: string) => string,
): string {
  const isNear = graph.emit('Less', [graph.emit('Abs', [x]), graph.scalar(bound)])
  return graph.emit('Where', [isNear, near(graph.emit('Where', [isNear, x, graph.scalar(0)])), far(x)])
}

/** 1/1!, 1/2!, ...: exp(x) − 1 = x Σ xᵏ / (k + 1)!, to 1e-9 of the sum for |x| ≤ 1/2. */
const exponential = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((k, _, all) => 1 / all.slice(0, k).reduce((a, b) => a * b))

const expm1Near = (graph: GraphBuilder, x: string): string => graph.emit('Mul', [x, polynomial(graph, x, exponential)])

/** 2 artanh(s) = 2 s Σ s²ᵏ / (2k + 1), to 1e-8 of the sum for s² ≤ 1/9. */
const areaTangent = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => 2 / (2 * k + 1))

/** π in parts of few bits, so that what is subtracted is exact while |x| < 10⁵ (Cody and Waite 1980). */
const halfTurn = [3.140625, 9.67502593994140625e-4, 1.509957990978376432e-7]

/** Whole half turns in x, and what remains of it: at most π / 2 in magnitude. */
function halfTurns(graph: GraphBuilder, x: string): { turns: string; rest: string } {
  const near = graph.emit('Add', [graph.emit('Mul', [x, graph.scalar(1 / Math.PI)]), graph.scalar(0.5)])
  const turns = graph.emit('Floor', [near])
  const rest = halfTurn.reduce(
    (left, part) => graph.emit('Sub', [left, graph.emit('Mul', [turns, graph.scalar(part)])]),
    x,
  )
  return { turns, rest }
}

/** (−1)ⁿ for a whole number n. */
function alternating(graph: GraphBuilder, n: string): string {
  const pairs = graph.emit('Floor', [graph.emit('Mul', [n, graph.scalar(0.5)])])
  const odd = graph.emit('Sub', [n, graph.emit('Mul', [pairs, graph.scalar(2)])])
  return graph.emit('Sub', [graph.scalar(1), graph.emit('Mul', [odd, graph.scalar(2)])])
}

/** (−1)ᵏ / (2 k + first)!: sin and cos as series in x², to 1e-9 for |x| ≤ π / 2. */
const circular = (first: 0 | 1): number[] => {
  const coefficients = [1]
  for (let n = first + 1; coefficients.length < 8; n += 2)
    coefficients.push(-(coefficients.at(-1) ?? 0) / (n * (n + 1)))
  return coefficients
}

/**
 * WebGPU computes tanh as (1 − e) / (1 + e) with e = exp(−2 |x|), and its exp and log promise absolute rather than
 * relative digits near 0 and 1 (WGSL, 15.7.4): what has to keep its digits there is written as a series.
 */
export const onWebgpu = {
  // WGSL lets a device forget NaN; SwiftShader's exp of it is infinite.
  exp: (graph, inputs) => {
    const { name } = only(inputs)
    return graph.emit('Where', [graph.emit('Equal', [name, name]), graph.emit('Exp', [name]), name])
  },
  expm1: (graph, inputs) =>
    piecewise(
      graph,
      only(inputs).name,
      0.5,
      (x) => expm1Near(graph, x),
      (x) => graph.emit('Sub', [graph.emit('Exp', [x]), graph.scalar(1)]),
    ),
  // With s = x / (2 + x): log(1 + x) = 2 artanh(s).
  log1p: (graph, inputs) =>
    piecewise(
      graph,
      only(inputs).name,
      0.5,
      (x) => {
        const s = graph.emit('Div', [x, graph.emit('Add', [x, graph.scalar(2)])])
        return graph.emit('Mul', [s, polynomial(graph, graph.emit('Mul', [s, s]), areaTangent)])
      },
      (x) => graph.emit('Log', [graph.emit('Add', [x, graph.scalar(1)])]),
    ),
  // WGSL promises 2⁻¹¹ of sin and cos, and nothing outside of ±π.
  sin: (graph, inputs) => {
    const { turns, rest } = halfTurns(graph, only(inputs).name)
    const series = polynomial(graph, graph.emit('Mul', [rest, rest]), circular(1))
    return graph.emit('Mul', [alternating(graph, turns), graph.emit('Mul', [rest, series])])
  },
  cos: (graph, inputs) => {
    const { turns, rest } = halfTurns(graph, only(inputs).name)
    const series = polynomial(graph, graph.emit('Mul', [rest, rest]), circular(0))
    return graph.emit('Mul', [alternating(graph, turns), series])
  },
  // With e = exp(2 x) − 1: tanh(x) = e / (e + 2).
  tanh: (graph, inputs) =>
    piecewise(
      graph,
      only(inputs).name,
      0.25,
      (x) => {
        const e = expm1Near(graph, graph.emit('Mul', [x, graph.scalar(2)]))
        return graph.emit('Div', [e, graph.emit('Add', [e, graph.scalar(2)])])
      },
      (x) => graph.emit('Tanh', [x]),
    ),
} satisfies Partial<Lowerings<OpAttributes>>
