import { Command } from 'commander'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { flagsOf, givenOptions, kebab, optionRows } from './flags.js'

const schema = z.strictObject({
  beta: z.number().positive().default(0.1).describe('Strength; default 0.1.'),
  learningRate: z.number().default(1e-6).describe('Peak rate'),
  steps: z.int().positive().optional().describe('Optimiser steps'),
  maxLength: z.int().nullable().default(1024).describe('Longest sequence'),
  schedule: z.enum(['linear', 'cosine']).default('linear').describe('How the rate falls'),
  shuffle: z.boolean().default(true).describe('Shuffle'),
  targets: z.array(z.string()).optional().describe('Modules'),
  extra: z.record(z.string(), z.unknown()).optional().describe('More'),
})

function parsed(...args: string[]): Record<string, unknown> {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  for (const flag of flagsOf(schema)) command.addOption(flag)
  return givenOptions(command.parse(args, { from: 'user' }))
}

describe('flags of a schema', () => {
  test('what is not given is left to the schema', () => {
    expect(parsed()).toEqual({})
  })

  test('each type is read as the schema wants it', () => {
    expect(parsed('--beta', '1e-2', '--steps', '7')).toEqual({ beta: 0.01, steps: 7 })
    expect(parsed('--max-length', 'none')).toEqual({ maxLength: null })
    expect(parsed('--max-length', '64')).toEqual({ maxLength: 64 })
    expect(parsed('--schedule', 'cosine')).toEqual({ schedule: 'cosine' })
    expect(parsed('--shuffle')).toEqual({ shuffle: true })
    expect(parsed('--no-shuffle')).toEqual({ shuffle: false })
    expect(parsed('--targets', 'q, v')).toEqual({ targets: ['q', 'v'] })
    expect(parsed('--extra', '{"a":1}')).toEqual({ extra: { a: 1 } })
  })

  test.each([
    ['--beta', 'big'],
    ['--beta', ''],
    ['--steps', '1.5'],
    ['--max-length', 'long'],
    ['--schedule', 'square'],
    ['--extra', '{'],
  ])('%s %s is refused', (flag, text) => {
    expect(() => parsed(flag, text)).toThrow(/invalid/)
  })

  test('every number survives the command line', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const { beta } = parsed(`--beta=${value}`)
        expect(Object.is(beta, Number(String(value)))).toBe(true)
      }),
    )
  })

  test('a camel-case key becomes the flag that commander reads back as that key', () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9]{0,5}([A-Z][a-z0-9]{1,5}){0,3}$/)
    fc.assert(
      fc.property(key, (name) => {
        fc.pre(name !== 'no' && !name.startsWith('no') && !['constructor', 'toString', 'valueOf'].includes(name))
        const [flag] = flagsOf(z.object({ [name]: z.number() }))
        expect(flag.long).toBe(`--${kebab(name)}`)
        expect(flag.attributeName()).toBe(name)
      }),
    )
  })

  test('descriptions tell the default, once', () => {
    const descriptions = Object.fromEntries(flagsOf(schema).map(({ long, description }) => [long, description]))
    expect(descriptions['--beta']).toBe('Strength; default 0.1.')
    expect(descriptions['--learning-rate']).toBe('Peak rate (default: 0.000001)')
    expect(descriptions['--steps']).toBe('Optimiser steps')
  })

  test('keys of the command itself are left out', () => {
    expect(flagsOf(schema, new Set(['beta'])).map(({ long }) => long)).not.toContain('--beta')
  })
})

test('option rows say what an option takes', () => {
  const rows = Object.fromEntries(optionRows(schema).map(({ key, takes, default: value }) => [key, [takes, value]]))
  expect(rows).toMatchObject({
    beta: ['number', '0.1'],
    maxLength: ['integer|none', '1024'],
    schedule: ['linear|cosine', 'linear'],
    shuffle: ['true|false', 'true'],
    targets: ['text,...', undefined],
  })
})
