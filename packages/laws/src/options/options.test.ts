import { CollimateError, definePlugin, type Plugin, type RewardSource } from '@collimate/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { checkSuite } from '../check.js'
import { testLaws } from '../declare.js'
import { fingerprint } from './fingerprint.js'
import { lawsOfOptions, type OptionsLawsOptions } from './index.js'

const shape = {
  target: z.int().positive().default(20).describe('wanted length, in units; default 20'),
  unit: z.enum(['words', 'characters']).default('words').describe('what is counted; default words'),
  slack: z.number().min(0).optional().describe('length more or less that costs nothing; default none'),
  penalty: z
    .strictObject({
      scale: z.number().default(1e-3).describe('reward per unit; default 0.001'),
      squared: z.boolean().default(false).describe('grows with the square; default false'),
    })
    .default({ scale: 1e-3, squared: false })
    .describe('how a wrong length is punished'),
  workers: z.int().default(1).describe('threads; default 1'),
}
type Options = z.output<z.ZodObject<typeof shape>>

const pluginOf = (options: z.ZodType = z.strictObject(shape), more = {}): Plugin =>
  definePlugin({
    ...{ name: 'length', version: '0.1.0', engine: '^0.1.0', kind: 'reward', description: 'Prefers a length' },
    options,
    create: () => ({}) as RewardSource,
    ...more,
  }) as unknown as Plugin

function score(options: Options): number[] {
  const { target, unit, slack = 0, penalty } = options
  if (unit === 'characters' && target < 2) throw new CollimateError('COLLIMATE_OPTION_CONFLICT', 'no answer at all')
  return [3, 19, 40].map((length) => {
    const off = Math.max(0, Math.abs((unit === 'words' ? length : 5 * length) - target) - slack)
    return -penalty.scale * (penalty.squared ? off * off : off)
  })
}

const right: OptionsLawsOptions = {
  plugin: pluginOf(),
  output: (options) => score(options as Options),
  alternatives: {
    target: [{ value: 5 }, { value: 1, with: { unit: 'characters' }, refused: 'COLLIMATE_OPTION_CONFLICT' }],
    unit: [{ value: 'characters' }],
    slack: [{ value: 2 }, { value: -1, refused: true }],
    'penalty.scale': [{ value: 2 }],
    'penalty.squared': [{ value: true }],
    workers: { unobservable: 'changes speed alone' },
  },
}

testLaws(lawsOfOptions(right), { test })

const { target: _target, ...untargeted } = right.alternatives
const wrong: Record<string, { law: string; options: OptionsLawsOptions; says: RegExp }> = {
  'an option that is accepted and ignored': {
    law: 'options/matters/slack',
    options: { ...right, output: (options) => score({ ...(options as Options), slack: 0 }) },
    says: /the output with \{"slack":2\} is that with \{\}: slack does nothing/,
  },
  'an option inside another that is ignored': {
    law: 'options/matters/penalty.squared',
    options: {
      ...right,
      output: ({ penalty: _, ...options }) => score({ ...options, penalty: { scale: 1, squared: false } } as Options),
    },
    says: /penalty\.squared does nothing/,
  },
  'an option for which nobody shows anything': {
    law: 'options/matters/target',
    options: { ...right, alternatives: untargeted },
    says: /nothing shows what target does: add to `alternatives`/,
  },
  'a value that should have been refused': {
    law: 'options/matters/target',
    options: { ...right, output: (options) => score({ ...(options as Options), unit: 'words' }) },
    says: /is accepted; the law says it is refused/,
  },
  'a value that falls over': {
    law: 'options/matters/target',
    options: {
      ...right,
      output: (options) => {
        if (options.target === 5) throw new TypeError('target is not iterable')
        return score(options as Options)
      },
    },
    says: /cannot be used: COLLIMATE_UNEXPECTED: target is not iterable/,
  },
  'an option that was renamed': {
    law: 'options/evidence-is-current',
    options: { ...right, alternatives: { ...right.alternatives, lenght: [{ value: 1 }] } },
    says: /there is no option lenght; there are target, unit, slack, penalty\.scale, penalty\.squared, workers/,
  },
  'options that nobody knows': {
    law: 'options/unknown-are-refused',
    options: { ...right, plugin: pluginOf(z.looseObject(shape)) },
    says: /option \w+ is accepted/,
  },
  'an option without words': {
    law: 'options/described',
    options: { ...right, plugin: pluginOf(z.strictObject({ ...shape, slack: z.number().optional() })) },
    says: /no description: slack/,
  },
  'a default that has moved on': {
    law: 'options/defaults-are-said',
    options: {
      ...right,
      plugin: pluginOf(z.strictObject({ ...shape, target: z.int().default(30).describe('wanted length; default 20') })),
    },
    says: /target is 30 by default, and says: wanted length; default 20/,
  },
  'options that change each time that they are read': {
    law: 'options/parsed-again',
    options: {
      ...right,
      plugin: pluginOf(z.strictObject({ ...shape, target: shape.target.transform((target) => target + 1) })),
    },
    says: /is read again as/,
  },
  'a manifest that says nothing': {
    law: 'options/metadata-without-creating',
    options: { ...right, plugin: pluginOf(undefined, { description: '' }) },
    says: /description is ""/,
  },
}

describe('wrong plugins and the law that finds each', () => {
  test.each(Object.entries(wrong))('%s', async (_, { law, options, says }) => {
    const results = await checkSuite(lawsOfOptions(options), { seed: 2 })
    const found = results.find((result) => result.law.name === law)
    expect(found?.message).toMatch(says)
  })
})

test('what no output can show is reported by name, and every use is tried once', async () => {
  let tried = 0
  const suite = lawsOfOptions({ ...right, output: (options) => (++tried, score(options as Options)) })
  expect(suite.unsupported).toEqual([{ capability: 'workers: changes speed alone', laws: ['options/matters/workers'] }])
  await checkSuite(suite, { runs: 500 })
  // The base and six uses; one more cannot be parsed and never comes here.
  expect(tried).toBe(7)
})

test('fingerprints tell data apart', () => {
  const values = [
    0,
    -0,
    Number.NaN,
    null,
    undefined,
    '0',
    [0],
    { a: 0 },
    Float32Array.of(0),
    Float64Array.of(0),
    [[0]],
    true,
  ]
  expect(new Set(values.map(fingerprint)).size).toBe(values.length)
  expect(fingerprint({ a: 1, b: 2 })).toBe(fingerprint({ b: 2, a: 1 }))
  expect(() => fingerprint([() => 1])).toThrow('an output is data')
})
