import type { Backend, TensorData } from '@collimate/core'
import {
  add,
  attend,
  cast,
  constant,
  evaluate,
  gather,
  gelu,
  gradients,
  headLogProbs,
  input,
  layerNorm,
  logSigmoid,
  matmul,
  mean,
  mul,
  neg,
  program,
  reshape,
  rmsNorm,
  rotary,
  sub,
  sum,
  swiglu,
  transpose,
  where,
  type Tensor,
} from '@collimate/graph'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBackend } from './backend.js'
import { closeTo, generator } from './testing/numbers.js'

let backend: Backend
beforeAll(async () => {
  backend = await createBackend({ device: 'cpu', threads: 2, arena: true, spinning: false })
})
afterAll(() => backend.close())

/** A transformer layer of random sizes with a preference loss on top: every op family in one differentiated program. */
function transformer(random: () => number) {
  const pick = (low: number, high: number) => low + Math.floor(random() * (high - low + 1))
  const [batch, heads, width, half, inner, vocabulary] = [2, pick(1, 3), pick(2, 6), pick(1, 3), pick(2, 7), pick(3, 9)]
  const size = heads * 2 * half
  const tokens = batch * width
  const values: Record<string, TensorData> = {}
  const weights: Tensor[] = []
  const weight = (name: string, ...shape: number[]) => {
    const length = shape.reduce((product, count) => product * count, 1)
    values[name] = Float32Array.from({ length }, () => random() - 0.5)
    const tensor = input(name, shape, 'float', 'state')
    weights.push(tensor)
    return tensor
  }
  const ints = (name: string, shape: number[], end: number) => {
    const length = shape.reduce((product, count) => product * count, 1)
    values[name] = Int32Array.from({ length }, () => pick(0, end - 1))
    return input(name, shape, 'int')
  }
  const table = () => constant(Float64Array.from({ length: 8 * half }, random), [8, half])

  const embedding = weight('embedding', vocabulary, size)
  const x = gather(embedding, ints('tokens', [tokens], vocabulary))
  const normed = rmsNorm(x, weight('gain', size), 1e-2)
  const [cos, sin, positions] = [table(), table(), ints('positions', [batch, width], 8)]
  const project = (name: string) => {
    const rows = matmul(normed, weight(name, size, size), { transposeB: true })
    return transpose(reshape(rows, [batch, width, heads, 2 * half]), [0, 2, 1, 3])
  }
  const [q, k, v] = [rotary(project('q'), cos, sin, positions), rotary(project('k'), cos, sin, positions), project('v')]
  const causal = constant(
    Int32Array.from({ length: width * width }, (_, i) => (i % width <= Math.floor(i / width) ? 1 : 0)),
    [width, width],
  )
  const scores = where(
    reshape(cast(causal, 'bool'), [1, 1, width, width]),
    matmul(q, k, { transposeB: true, scale: 0.5 }),
    -1e9,
  )
  const mixed = reshape(transpose(attend(scores, v), [0, 2, 1, 3]), [tokens, size])
  const residual = add(x, matmul(mixed, weight('o', size, size)))
  const again = layerNorm(residual, weight('gain2', size), weight('bias', size), 1e-2)
  const gated = swiglu(
    matmul(again, weight('gate', size, inner)),
    gelu(matmul(again, weight('up', size, inner)), 'tanh'),
  )
  const hidden = add(residual, matmul(gated, weight('down', inner, size)))
  const logProbs = headLogProbs(hidden, embedding, ints('targets', [tokens], vocabulary), 0.7)
  const sequences = sum(reshape(logProbs, [batch, width]), 1)
  const margin = sub(gather(sequences, 0), gather(sequences, 1))
  const loss = add(neg(logSigmoid(mul(margin, 0.3))), mul(mean(logProbs), -0.5))
  return { loss, weights, values }
}

test('loss and gradients of a transformer with a preference loss equal the float64 interpreter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const { loss, weights, values } = transformer(generator(seed))
      const derivatives = gradients(loss, weights)
      const expected = [loss, ...derivatives].map((tensor) => evaluate(tensor, values))
      const states = Object.fromEntries(
        weights.map(({ attributes, shape }) => {
          const name = String(attributes['name'])
          return [name, { dtype: 'float' as const, shape, data: values[name] ?? new Float32Array() }]
        }),
      )
      const compiled = program({
        name: 'step',
        outputs: Object.fromEntries([loss, ...derivatives].map((tensor, i) => [String(i), tensor])),
      })
      const state = await backend.state({ tensors: states })
      const executable = await backend.compile({ program: compiled })
      const feeds = Object.fromEntries(Object.entries(values).filter(([, data]) => data instanceof Int32Array))
      const outputs = await backend.run({ executable, feeds, states: [state] })
      expected.forEach(({ data }, i) =>
        data.forEach((value, j) => {
          const got = outputs[String(i)]?.[j] ?? Number.NaN
          if (!closeTo(got, value, 1e-4)) {
            const what = i === 0 ? 'loss' : `d ${String(weights[i - 1]?.attributes['name'])}[${j}]`
            expect.fail(`${what} is ${got}, the interpreter says ${value}`)
          }
        }),
      )
      for (const id of [state, executable]) await backend.release({ id })
    }),
    { numRuns: 30 },
  )
})
