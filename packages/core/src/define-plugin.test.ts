import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { definePlugin, isPlugin } from './define-plugin.js'
import type { Plugin, PluginUse } from './plugin.js'

const definition = {
  name: 'fixed',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'estimator' as const,
  description: 'Advantages are the rewards.',
  options: z.object({ gamma: z.number().default(1).describe('discount, default 1') }),
  create: () => ({
    estimate: async ({ rewards }: { rewards: Float64Array }) => ({ advantages: rewards, returns: rewards }),
  }),
}

describe('definePlugin', () => {
  test('gives a callable with frozen metadata', () => {
    const fixed = definePlugin(definition)
    expect(isPlugin(fixed)).toBe(true)
    expect(fixed.definition.name).toBe('fixed')
    expect(Object.isFrozen(fixed.definition)).toBe(true)
    expect(fixed({ gamma: 0.9 })).toEqual({ plugin: fixed, options: { gamma: 0.9 } })
    expect(fixed()).toEqual({ plugin: fixed, options: {} })
  })

  test('types: options are those of the schema, and every plugin is a Plugin', () => {
    const fixed = definePlugin(definition)
    expectTypeOf(fixed({})).toEqualTypeOf<PluginUse<'estimator'>>()
    // @ts-expect-error an option of the wrong type
    fixed({ gamma: 'one' })
    const some: readonly Plugin[] = [fixed]
    const uses: PluginUse[] = [fixed()]
    // @ts-expect-error an estimator is not a trainer
    const wrong: PluginUse<'trainer'> = fixed()
    expect([some.length, uses.length, wrong]).toEqual([1, 1, fixed()])
  })

  test.each([
    ['name', 'Fixed'],
    ['name', ''],
    ['version', '1'],
    ['engine', 'newest'],
    ['kind', 'wheel'],
    ['options', z.string()],
    ['create', undefined],
  ])('refuses a bad %s (%o)', (field, value) => {
    expect(() => definePlugin({ ...definition, [field]: value })).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_PLUGIN_INVALID', message: expect.stringContaining(field) as string }),
    )
  })

  test('what is not a plugin is not taken for one', () => {
    for (const value of [undefined, null, {}, () => {}, Object.assign(() => {}, { definition: { kind: 'wheel' } })])
      expect(isPlugin(value)).toBe(false)
  })
})
