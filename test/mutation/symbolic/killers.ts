import {
  abs,
  add,
  constant,
  decompose,
  evaluate,
  expm1,
  gradients,
  input,
  interpret,
  log1p,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  opNames,
  ops,
  pow,
  program,
  sampleExpression,
  sampleOp,
  simplify,
  square,
  sub,
  sum,
  type OpName,
  type Tensor,
  type TensorData,
} from '@collimate/graph'
import { checkLaw, type LawSuite } from '@collimate/laws'
import { divergenceNames, score } from '../../../plugins/trainer-dpo/src/divergences.js'
import { objectiveSuites } from '../../../plugins/trainer-dpo/src/objective-laws.js'
import sftLaws from '../../../plugins/trainer-sft/src/laws.js'

/** Generators of sentences that say what is wrong; the first one kills. */
export const killers = { objectives, graph: derivatives } as const

/** Laws of every configured loss. */
async function* objectives(): AsyncGenerator<string> {
  const suites: LawSuite[] = [
    ...objectiveSuites(),
    ...(await sftLaws()).filter(({ contract }) => contract === 'objective'),
  ]
  const all = suites.flatMap((suite) => suite.laws.map((law) => ({ law, suite })))
  // The cheapest and strongest first, for every loss.
  const first = ({ law }: (typeof all)[number]): number => Number(law.name !== 'objective/formula')
  for (const { law, suite } of all.sort((one, other) => first(one) - first(other))) {
    const { message } = await checkLaw(law, { runs: 8, seed: 1 })
    if (message !== undefined) yield `${suite.subject}: ${law.name}`
  }
  // A constant cancels in most losses.
  for (const name of divergenceNames)
    if (!close(evaluate(score(name, constant(0), 0.5), {}).data[0], 0, 1e-12))
      yield `${name}: its score at the reference`
}

/** Derivatives of every op against differences, and its decomposition and what is simplified against itself. */
async function* derivatives(): AsyncGenerator<string> {
  yield* byHand()
  for (const op of opNames)
    for (let seed = 1; seed <= 8; seed++) {
      const wrong = problem(op, seed)
      if (wrong !== undefined) yield `${op}: ${wrong}`
    }
  for (let seed = 1; seed <= 60; seed++) {
    const { tensor, values } = sampleExpression(generator(seed), 25)
    const wrong = simplified(tensor, values) ?? slope(mean(tensor), values, generator(seed))
    if (wrong !== undefined) yield `expression ${seed}: ${wrong}`
  }
}

/** What random values do not meet: equal operands, numbers next to 0, sums and products with constants. */
function* byHand(): Generator<string> {
  const x = input('x', [3])
  const at = (tensor: Tensor, ...values: number[]): number[] => [...evaluate(tensor, { x: values }).data]
  const differ = (found: readonly number[], ...expected: number[]): boolean =>
    found.some((value, i) => Math.abs(value - expected[i]) > 1e-13 * Math.abs(expected[i]))
  const slopeOf = (of: (x: Tensor) => Tensor, ...values: number[]): number[] =>
    at(gradients(sum(of(x)), [x])[0], ...values)
  if (differ(at(square(x), -3, 0, 2), 9, 0, 4)) yield 'square: value'
  if (
    differ(
      slopeOf((of) => pow(of, 3), -3, 0, 2),
      27,
      0,
      12,
    )
  )
    yield 'pow: derivative'
  if (differ(slopeOf(abs, -3, 0, 2), -1, 0, 1)) yield 'abs: derivative at 0'
  if (differ(slopeOf(max, 2, 2, 1), 0.5, 0.5, 0)) yield 'max: derivative of equal values'
  if (
    differ(
      slopeOf((of) => maximum(of, 2), 2, 3, 1),
      0.5,
      1,
      0,
    )
  )
    yield 'maximum: derivative of equal values'
  if (
    differ(
      slopeOf((of) => minimum(of, 2), 2, 3, 1),
      0.5,
      0,
      1,
    )
  )
    yield 'minimum: derivative of equal values'
  for (const [op, plain] of [
    [expm1, Math.expm1],
    [log1p, Math.log1p],
  ] as const) {
    const whole = program({ name: 'near 0', outputs: { y: op(x) } })
    const { y } = interpret(
      decompose(whole, (name) => !ops[name].fused),
      { feeds: { x: Float64Array.of(1e-9, -1e-9, 0.3) } },
    ).outputs
    if (differ([...y.data], plain(1e-9), plain(-1e-9), plain(0.3))) yield `${op.name}: decomposed next to 0`
  }
  const y = input('y', [3])
  const rewritten = {
    'x + −y': add(x, neg(y)),
    '−x + y': add(neg(x), y),
    'x − −y': sub(x, neg(y)),
    '0 − x': sub(0, x),
    '−(x − y)': neg(sub(x, y)),
    '−(3 x)': neg(mul(x, 3)),
    '−x · 3': mul(neg(x), 3),
    '−1 · x': mul(x, -1),
    '2 · (3 x)': mul(2, mul(x, 3)),
  }
  for (const [name, tensor] of Object.entries(rewritten))
    if (simplified(tensor, { x: Float64Array.of(1, -2, 5), y: Float64Array.of(3, 7, -1) }) !== undefined)
      yield `simplified: ${name}`
}

/** Whether a tensor keeps its value when it is simplified. */
function simplified(tensor: Tensor, values: Readonly<Record<string, TensorData>>): string | undefined {
  const plain = program({ name: 'plain', outputs: { tensor }, simplify: false })
  const feeds = Object.fromEntries(plain.inputs.map(({ name }) => [name, values[name]]))
  const found = interpret(simplify(plain), { feeds }).outputs.tensor.data
  return interpret(plain, { feeds }).outputs.tensor.data.every((value, i) => close(found[i], value, 1e-9))
    ? undefined
    : 'simplified it has another value'
}

function problem(op: OpName, seed: number): string | undefined {
  const random = generator(seed)
  const { tensor, values } = sampleOp(op, random)
  const plain = program({ name: 'plain', outputs: { tensor }, simplify: false })
  const feeds = Object.fromEntries(plain.inputs.map(({ name }) => [name, values[name]]))
  const decomposed = interpret(
    decompose(plain, (name) => !ops[name].fused),
    { feeds },
  ).outputs.tensor.data
  if (!interpret(plain, { feeds }).outputs.tensor.data.every((value, i) => close(decomposed[i], value, 1e-10)))
    return 'its decomposition has another value'
  if (tensor.dtype !== 'float' || op === 'stopGradient' || 'noGradient' in ops[op]) return undefined
  const weights = input('weights', tensor.shape)
  const drawn = Float64Array.from({ length: tensor.size }, () => 2 * random() - 1)
  return slope(sum(mul(tensor, weights)), { ...values, weights: drawn }, random)
}

/** Whether the derivative of a scalar along a random direction is that of its values. */
function slope(loss: Tensor, values: Readonly<Record<string, TensorData>>, random: () => number): string | undefined {
  const wrt = floatInputs(loss)
  if (wrt.length === 0) return undefined
  const direction = wrt.map((leaf) => Float64Array.from({ length: leaf.size }, () => 2 * random() - 1))
  const found = evaluate(gradients(loss, wrt), values)
    .flatMap(({ data }, k) => Array.from(data, (value, i) => value * direction[k][i]))
    .reduce((total, product) => total + product, 0)
  const at = (step: number): number => {
    const moved = wrt.map((leaf, k) => {
      const name = String(leaf.attributes.name)
      return [name, Float64Array.from(values[name], (value, i) => Number(value) + step * direction[k][i])]
    })
    return evaluate(loss, { ...values, ...(Object.fromEntries(moved) as Record<string, Float64Array>) }).data[0]
  }
  const h = 1e-3
  const expected = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
  return close(found, expected, 1e-6) ? undefined : 'its derivative is not that of its value'
}

/** The distinct float inputs of an expression. */
function floatInputs(tensor: Tensor): Tensor[] {
  const seen = new Set<Tensor>()
  const visit = (one: Tensor): void => {
    if (seen.has(one)) return
    seen.add(one)
    one.inputs.forEach(visit)
  }
  visit(tensor)
  return [...seen].filter(({ op, dtype }) => op === 'input' && dtype === 'float')
}

const close = (a: number, b: number, tolerance: number): boolean =>
  Math.abs(a - b) <= tolerance * (1 + Math.abs(b)) || a === b

/** Numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
