import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { law, near } from './law.js'
import { suiteOf, type Claims } from './suite.js'

const lawOf = (what: string, capability?: string) =>
  law({
    name: `kl/${what}`,
    statement: what,
    formula: what,
    source: 'test',
    arbitrary: fc.nat(),
    holds: () => undefined,
    ...(capability === undefined ? {} : { capability }),
  })
const laws = [lawOf('always'), lawOf('sampled', 'generate'), lawOf('greedy', 'generate'), lawOf('moved', 'update')]

const suite = (claims?: Claims, descriptive: readonly string[] = []) => {
  const { laws: checked, ...rest } = suiteOf({
    contract: 'policy',
    subject: 'x',
    laws,
    descriptive,
    ...(claims ? { claims } : {}),
  })
  return { ...rest, checked: checked.map(({ name }) => name) }
}

describe('what a manifest claims decides which laws are checked', () => {
  test('laws without a capability always; those of a claim where it is made; the rest is declared unsupported', () => {
    expect(suite({ generate: true })).toMatchObject({
      checked: ['kl/always', 'kl/sampled', 'kl/greedy'],
      claims: ['generate'],
      unsupported: [{ capability: 'update', laws: ['kl/moved'] }],
      unproven: [],
    })
    expect(suite()).toMatchObject({
      checked: ['kl/always'],
      unsupported: [
        { capability: 'generate', laws: ['kl/sampled', 'kl/greedy'] },
        { capability: 'update', laws: ['kl/moved'] },
      ],
    })
  })

  test.each([
    [false, false],
    [undefined, false],
    [null, false],
    [[], false],
    [true, true],
    ['float32', true],
    [0, true],
    [['cpu'], true],
  ])('%j claims: %j', (value, claims) => {
    expect(suite({ update: value }).checked.includes('kl/moved')).toBe(claims)
  })

  test('a claim that no law checks is unproven, unless it only describes', () => {
    expect(suite({ generate: true, telepathy: true, devices: ['cpu'] }, ['devices']).unproven).toEqual(['telepathy'])
    expect(suite({ telepathy: false }).unproven).toEqual([])
  })
})

describe('near', () => {
  test('is relative from one upwards, absolute below; NaN never passes, equal infinities do', () => {
    near(1e6 + 0.5, 1e6, 1e-6)
    near(1e-9, 0, 1e-8)
    near(-Infinity, -Infinity, 0)
    expect(() => near(1e6 + 2, 1e6, 1e-6, 'loss')).toThrow('loss is 1000002, the law says 1000000 (off by 2.00e+0)')
    expect(() => near(NaN, NaN, 1)).toThrow('NaN')
    expect(() => near(Infinity, 1, 1)).toThrow('Infinity')
  })
})

describe('a case is shown', () => {
  test.each([
    [{ rewards: new Float64Array([0.5, -1]), beta: Infinity }, '{ "rewards": [ 0.5, -1 ], "beta": "Infinity" }'],
    [[NaN, 1], '[ "NaN", 1 ]'],
    [7n, '"7"'],
    [undefined, 'undefined'],
    ['a "text"', '"a \\"text\\""'],
  ])('%o as %s', (value, shown) => {
    expect(lawOf('shown').show(value)).toBe(shown)
  })

  test('in the words of the law, where it has some', () => {
    const said = law({ ...lawOf('said'), arbitrary: fc.nat(), show: (n: number) => `β = ${n}` })
    expect(said.show(3)).toBe('β = 3')
  })
})
