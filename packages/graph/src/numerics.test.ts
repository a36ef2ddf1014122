import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as g from './index.js'

const extremes = [-1e4, -800, -40, -1e-9, 0, 1e-9, 40, 800, 1e4]
const x = g.input('x', [extremes.length])

function valueAndSlope(op: (x: g.Tensor) => g.Tensor, values: readonly number[] = extremes) {
  const tensor = g.input('x', [values.length])
  const y = op(tensor)
  const program = g.program({ name: 'numerics', outputs: { y, slope: g.gradients(g.sum(y), [tensor])[0] } })
  const decomposed = g.decompose(program, (name) => !g.ops[name].fused)
  return [program, decomposed].map((each) => {
    const { outputs } = g.interpret(each, { feeds: { x: Float64Array.from(values) } })
    return { y: Array.from(outputs.y.data), slope: Array.from(outputs.slope.data) }
  })
}

describe('far from zero', () => {
  test.each([
    ['sigmoid', g.sigmoid],
    ['logSigmoid', g.logSigmoid],
    ['softplus', g.softplus],
    ['tanh', g.tanh],
    ['silu', g.silu],
    ['gelu', (v: g.Tensor) => g.gelu(v, 'erf')],
    ['gelu (tanh)', (v: g.Tensor) => g.gelu(v, 'tanh')],
    ['softmax', g.softmax],
    ['logSoftmax', g.logSoftmax],
    ['logSumExp', g.logSumExp],
    ['rmsNorm', (v: g.Tensor) => g.rmsNorm(v, g.fill(1, v.shape), 1e-6)],
  ] as const)('%s and its derivative are finite, decomposed too', (_, op) => {
    for (const { y, slope } of valueAndSlope(op)) {
      expect(y.every(Number.isFinite)).toBe(true)
      expect(slope.every(Number.isFinite)).toBe(true)
    }
  })

  test('logSigmoid(x) is x for very negative x and -exp(-x) for large x', () => {
    for (const { y } of valueAndSlope(g.logSigmoid, [-1e4, 30, 1e4])) {
      expect(y[0]).toBe(-1e4)
      expect(y[1]).toBeCloseTo(-Math.exp(-30), 25)
      expect(Math.abs(y[2])).toBe(0)
    }
  })

  test('a row that is masked everywhere gives equal weights', () => {
    for (const { y, slope } of valueAndSlope(g.softmax, [-1e9, -1e9, -1e9, -1e9])) {
      expect(y).toEqual([0.25, 0.25, 0.25, 0.25])
      expect(slope.every((value) => value === 0)).toBe(true)
    }
  })

  test('log-probabilities of unlikely tokens do not underflow', () => {
    const logits = g.reshape(x, [1, extremes.length])
    for (const [i, value] of extremes.entries()) {
      const picked = g.tokenLogProbs(logits, g.constant([i], [1], 'int'))
      expect(g.evaluate(picked, { x: extremes }).data[0]).toBeCloseTo(value - 1e4, 9)
    }
  })
})

describe('near zero', () => {
  test.each([
    ['expm1', g.expm1, Math.expm1],
    ['log1p', g.log1p, Math.log1p],
  ] as const)('%s keeps its digits, decomposed too', (_, op, expected) => {
    fc.assert(
      fc.property(fc.double({ min: -0.9, max: 0.9, noNaN: true }), (value) => {
        for (const { y } of valueAndSlope(op, [value])) {
          expect(Math.abs(y[0] - expected(value))).toBeLessThanOrEqual(1e-14 * Math.abs(expected(value)) + 1e-320)
        }
      }),
    )
  })

  test('erf to the last digits', () => {
    const points = [0, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6.5]
    // Abramowitz and Stegun, table 7.1, continued with mpmath.
    const expected = [
      0, 0.1124629160182849, 0.5204998778130465, 0.8427007929497149, 0.9661051464753108, 0.9953222650189527,
      0.999593047982555, 0.9999779095030014, 0.9999999845827421, 1,
    ]
    const { data } = g.evaluate(g.erf(g.input('x', [points.length])), { x: points })
    expected.forEach((value, i) => expect(Math.abs(data[i] - value)).toBeLessThan(4e-16))
  })
})

describe('what where() does not take', () => {
  test('has no say in value or derivative, be it NaN or infinite', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ taken: fc.boolean(), value: fc.double({ min: -3, max: 3, noNaN: true }) }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.constantFrom(NaN, Infinity, -Infinity),
        (rows, bad) => {
          const n = [rows.length]
          const [a, b, mask] = [g.input('a', n), g.input('b', n), g.input('mask', n, 'bool')]
          const chosen = g.where(mask, a, b)
          const loss = g.sum(g.mul(chosen, chosen))
          const values = {
            a: rows.map(({ taken, value }) => (taken ? value : bad)),
            b: rows.map(({ taken, value }) => (taken ? bad : value)),
            mask: rows.map(({ taken }) => Number(taken)),
          }
          const [da, db] = g.evaluate(g.gradients(loss, [a, b]), values)
          rows.forEach(({ taken, value }, i) => {
            expect(da.data[i] + 0).toBe(taken ? 2 * value + 0 : 0)
            expect(db.data[i] + 0).toBe(taken ? 0 : 2 * value + 0)
          })
        },
      ),
    )
  })
})
