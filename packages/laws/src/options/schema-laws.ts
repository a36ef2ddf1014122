import { parsePluginOptions } from '@collimate/core'
import fc from 'fast-check'
import { law, type Law, require } from '../law.js'
import { refused } from '../refused.js'
import { fingerprint } from './fingerprint.js'
import type { OptionsSubject } from './index.js'
import { type Option, optionAt, withOption } from './schema.js'

const contract = 'packages/core/src/plugin.ts: PluginDefinition'

/** Laws of what the schema of the options and the manifest say. */
export function schemaLaws(subject: OptionsSubject, options: readonly Option[]): Law[] {
  return [unknown(subject, options), described(options), defaults(subject, options), again(subject), metadata(subject)]
}

/** Names that no option has: a slip of the finger, another way of writing, a name of its own. */
const slips: readonly ((name: string) => string)[] = [
  (name) => name.slice(0, -1),
  (name) => `${name}s`,
  (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  (name) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
  (name) => `${name.slice(1, 2)}${name.slice(0, 1)}${name.slice(2)}`,
]

function unknown({ plugin, base }: OptionsSubject, options: readonly Option[]): Law {
  const names = new Set(
    options.flatMap(({ name }) => name.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.'))),
  )
  const slipped = [...names].flatMap((name) => {
    const [last, ...outer] = name.split('.').toReversed()
    return slips.map((slip) => [...outer.toReversed(), slip(last)].join('.'))
  })
  const candidates = [...slipped, 'nosuchoption'].filter(
    (name) => !names.has(name) && !name.endsWith('.') && name !== '',
  )
  return law({
    name: 'options/unknown-are-refused',
    statement: 'An option that does not exist is refused by its name, also where it is nearly the name of one',
    formula: '{tagret: 5}: COLLIMATE_OPTION_UNKNOWN, message names tagret',
    source: 'a setting that is misspelt must not run with the default',
    cost: 2,
    arbitrary: fc.record({ name: fc.constantFrom(...candidates), value: fc.constantFrom<unknown>(1, 'a', true, null) }),
    show: ({ name, value }) => `${name}: ${JSON.stringify(value)}`,
    holds: async ({ name, value }) => {
      const parse = () => parsePluginOptions(plugin, withOption(base, name, value))
      await refused(`option ${name}`, parse, 'COLLIMATE_OPTION_UNKNOWN')
      const last = name.split('.').at(-1) ?? ''
      try {
        parse()
      } catch (error) {
        require(String((error as Error).message).includes(last), `the refusal does not name ${last}: ${String(error)}`)
      }
    },
  })
}

function described(options: readonly Option[]): Law {
  return law({
    name: 'options/described',
    statement: 'Every option says what it is',
    formula: 'description ≠ ""',
    source: contract,
    cost: 100,
    arbitrary: fc.constant(undefined),
    show: () => `${options.length} options`,
    holds: () => {
      const silent = options.filter(({ description }) => description.trim().length < 8).map(({ name }) => name)
      require(silent.length ===
        0, `no description: ${silent.join(', ')} (write .describe('what it is, unit, default') last)`)
    },
  })
}

/** Whether a text says a value: as it is written, or as another way to write the number. */
function says(text: string, value: string | number | boolean): boolean {
  if (typeof value !== 'number') return text.includes(String(value))
  return (text.match(/[-−]?\d+(\.\d+)?(e[-+−]?\d+)?/gi) ?? []).some((one) => Number(one.replaceAll('−', '-')) === value)
}

function defaults({ plugin, base }: OptionsSubject, options: readonly Option[]): Law {
  return law({
    name: 'options/defaults-are-said',
    statement: 'An option that has a default says which: what is written down is what is filled in',
    formula: 'parse({}).o = v, v a number, word or truth value: the description of o names v',
    source: `${contract}: every option carries its unit and default`,
    cost: 100,
    arbitrary: fc.constant(undefined),
    show: () => JSON.stringify(base),
    holds: () => {
      const filled = parsePluginOptions(plugin, base)
      for (const { name, description } of options) {
        const value = optionAt(filled, name)
        if (optionAt(base, name) !== undefined || !['number', 'string', 'boolean'].includes(typeof value)) continue
        const known = value as string | number | boolean
        // A number that depends on the machine is told in words.
        if (typeof known === 'number' && /default (an?|the) /i.test(description)) continue
        require(says(
          description,
          known,
        ), `${name} is ${JSON.stringify(known)} by default, and says: ${description || 'nothing'}`)
      }
    },
  })
}

function again({ plugin, base, alternatives }: OptionsSubject): Law {
  const uses = Object.entries(alternatives).flatMap(([name, given]) =>
    'unobservable' in given
      ? []
      : given
          .filter((use) => use.refused === undefined)
          .map((use) => withOption({ ...base, ...use.with }, name, use.value)),
  )
  return law({
    name: 'options/parsed-again',
    statement: 'Options with their defaults filled in can be written to a file and read again, and are the same',
    formula: 'parse(JSON(parse(o))) = parse(o)',
    source: 'the configuration that a run saves is what it resumes with',
    cost: 2,
    arbitrary: fc.constantFrom(base, ...uses),
    show: (options) => JSON.stringify(options),
    holds: (options) => {
      const once = parsePluginOptions(plugin, options)
      const twice = parsePluginOptions(plugin, JSON.parse(JSON.stringify(once)))
      require(fingerprint(once) ===
        fingerprint(twice), `${JSON.stringify(once)} is read again as ${JSON.stringify(twice)}`)
    },
  })
}

function metadata({ plugin, base }: OptionsSubject): Law {
  return law({
    name: 'options/metadata-without-creating',
    statement:
      'Name, kind, version, description and options can be read, and the plugin be named with options, without creating it',
    formula: 'plugin.definition is data; plugin(options) = {plugin, options}',
    source: contract,
    cost: 100,
    arbitrary: fc.constant(undefined),
    show: () => plugin.definition.name,
    holds: () => {
      const { name, version, engine, kind, description, capabilities = {} } = plugin.definition
      for (const [field, value] of Object.entries({ name, version, engine, kind, description })) {
        require(typeof value === 'string' && value.trim() !== '', `${field} is ${JSON.stringify(value)}`)
      }
      require(!description.includes('\n') &&
        description.length <= 120, `the description is not one line: ${description}`)
      require(fingerprint(JSON.parse(JSON.stringify(capabilities))) ===
        fingerprint(capabilities), 'the capabilities are not plain data')
      // Nothing is created by naming it: whatever it would need is not here.
      const use = (plugin as unknown as (options: object) => { plugin: unknown; options: object })(base)
      require(use.plugin === plugin &&
        fingerprint(use.options) === fingerprint(base), 'naming the plugin with options gives something else')
    },
  })
}
