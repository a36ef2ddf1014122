import {
  abs,
  add,
  argmax,
  broadcastTo,
  cast,
  concat,
  cumsum,
  equal,
  evaluate,
  gather,
  greater,
  input,
  max,
  maximum,
  minimum,
  mul,
  neg,
  pad,
  program,
  reshape,
  scatterAdd,
  sign,
  slice,
  sub,
  sum,
  takeAlong,
  type Tensor,
  transpose,
  where,
} from '@collimate/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { openBackend } from './backend.js'
import type { Device } from './devices.js'
import { nativeTfjsPackage } from './native-location.js'

// The laws draw floats for most ops; kernels of whole numbers and truth values are others.
const [n, m] = [input('n', [2, 3], 'int'), input('m', [2, 3], 'int')]
const [flags, others] = [input('flags', [2, 3], 'bool'), input('others', [2, 3], 'bool')]
const index = input('index', [2, 3], 'int')
const values = {
  n: Int32Array.of(-7, 0, 3, 2 ** 24 + 1, -5, 9),
  m: Int32Array.of(2, 0, -3, 5, -5, 1),
  flags: Uint8Array.of(1, 0, 1, 0, 0, 1),
  others: Uint8Array.of(0, 0, 1, 1, 0, 1),
  index: Int32Array.of(0, 1, 1, 0, 0, 1),
}

const cases: Record<string, Tensor> = {
  neg: neg(n),
  abs: abs(n),
  sign: sign(n),
  add: add(n, m),
  sub: sub(n, 3),
  mul: mul(m, m),
  maximum: maximum(n, m),
  'maximum with 0': maximum(n, 0),
  minimum: minimum(n, m),
  equal: equal(n, m),
  greater: greater(n, slice(m, [1, 0], [2, 3])),
  where: where(flags, n, m),
  'where of bools': where(flags, others, equal(n, m)),
  sum: sum(m, [0]),
  'sum of rows': sum(n, [1], true),
  max: max(n, [0]),
  argmax: argmax(n, 0),
  cumsum: cumsum(n, 0),
  cast: cast(n, 'bool'),
  'cast of a fraction': cast(cast(mul(cast(n, 'float'), 0.01), 'bool'), 'int'),
  'cast towards zero': cast(mul(cast(m, 'float'), 0.7), 'int'),
  gather: gather(n, index),
  'gather of bools': gather(flags, index, 1),
  takeAlong: takeAlong(m, index, 1),
  scatterAdd: scatterAdd(n, index, m, 1),
  transpose: transpose(n, [1, 0]),
  'transpose of bools': transpose(flags, [1, 0]),
  slice: slice(n, [0, 1], [2, 3]),
  'slice of bools': slice(flags, [1, 0], [2, 3]),
  concat: concat([n, m], 1),
  'concat of bools': concat([flags, others], 0),
  pad: pad(n, [1, 0], [0, 2], 4),
  'pad of bools': pad(flags, [0, 1], [1, 0], 1),
  broadcastTo: broadcastTo(slice(n, [0, 0], [1, 3]), [4, 3]),
  'broadcastTo of bools': broadcastTo(slice(flags, [0, 0], [2, 1]), [5, 2, 3]),
  'no rows': reshape(slice(n, [0, 0], [0, 3]), [0, 3]),
}

describe.each(['wasm', 'cpu', ...(nativeTfjsPackage() === undefined ? [] : ['node'])] as Device[])(
  'on %s',
  (device) => {
    const opening = openBackend([device])
    afterAll(async () => (await opening).backend.close())

    test.each(Object.entries(cases))('%s', async (_, tensor) => {
      const { backend } = await opening
      const made = program({ name: 'case', outputs: { y: tensor }, simplify: false })
      const executable = await backend.compile({ program: made })
      const feeds = Object.fromEntries(made.inputs.map(({ name }) => [name, values[name as keyof typeof values]]))
      const { y } = await backend.run({ executable, feeds })
      expect(y).toEqual(evaluate(tensor, feeds).data)
      await backend.release({ id: executable })
    })
  },
)
