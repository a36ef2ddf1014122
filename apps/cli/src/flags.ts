import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { z } from 'zod'

/** The part of JSON Schema that plugin options are described with. */
interface OptionSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly OptionSchema[]
  readonly properties?: Readonly<Record<string, OptionSchema>>
  readonly items?: OptionSchema
}

/** One option of a plugin, as people read it. */
export interface OptionRow {
  /** Key in an experiment, e.g. `learningRate`. */
  readonly key: string
  /** What it takes, e.g. `number`, `sigmoid|ipo`. */
  readonly takes: string
  readonly description: string
  /** As it would be typed; absent where there is none. */
  readonly default?: string
}

/** The options that a plugin's zod schema declares, in its order. */
export function optionRows(schema: z.ZodType): OptionRow[] {
  return Object.entries(properties(schema)).map(([key, option]) => ({
    key,
    takes: takes(option),
    description: option.description ?? '',
    ...(option.default === undefined ? {} : { default: written(option.default) }),
  }))
}

/** One flag per option of the schema (`learningRate` is `--learning-rate`); keys in `except` are left out. */
export function flagsOf(schema: z.ZodType, except: ReadonlySet<string> = new Set()): Option[] {
  return Object.entries(properties(schema))
    .filter(([key]) => !except.has(key))
    .flatMap(([key, option]) => flags(key, option))
}

/** Commander writes '' for a flag whose parser gives null; this stands for null until the options are read. */
const none = Symbol('none')

/** The options of the schema that were given on the command line; keys in `except` are left out. */
export function givenOptions(command: Command, except: ReadonlySet<string> = new Set()): Record<string, unknown> {
  const given = Object.entries(command.opts<Record<string, unknown>>()).filter(([key]) => !except.has(key))
  return Object.fromEntries(given.map(([key, value]) => [key, value === none ? null : value]))
}

/** `learningRate` → `learning-rate`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** A commander parser for numbers; `text` is refused where it is none. */
export function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.')
  return value
}

/** All values of a flag that may be repeated. */
export const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text]

/** A commander parser for whole numbers. */
export function integer(text: string): number {
  const value = number(text)
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It is not a whole number.')
  return value
}

function properties(schema: z.ZodType): Readonly<Record<string, OptionSchema>> {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as OptionSchema
  return described.properties ?? {}
}

function flags(key: string, option: OptionSchema): Option[] {
  const name = kebab(key)
  const description = describe(option)
  // What is switched on and off is told in one line of the help: --[no-]name.
  if (takes(option) === 'true|false') {
    return [new Option(`--${name}`, description), new Option(`--no-${name}`, description).hideHelp()]
  }
  // A long list beside the flag would push every description of the help aside.
  const list = takes(option)
  const [value, told] =
    list.length > longest ? ['name', `${description} (one of: ${list.replaceAll('|', ', ')})`] : [list, description]
  return [new Option(`--${name} <${value}>`, told).argParser((text) => parse(text, option))]
}

/** Characters of a flag's value in the help. */
const longest = 30

function describe(option: OptionSchema): string {
  const description = option.description ?? ''
  if (option.default === undefined || /\bdefault\b/i.test(description)) return description
  return `${description} (default: ${written(option.default)})`.trim()
}

/** What an option takes, in a word. */
function takes(option: OptionSchema): string {
  if (option.const !== undefined) return String(option.const)
  if (option.enum !== undefined) return option.enum.map(String).join('|')
  if (option.anyOf !== undefined) return [...new Set(option.anyOf.map(takes))].join('|')
  if (option.type === 'boolean') return 'true|false'
  if (option.type === 'null') return 'none'
  if (option.type === 'array') return `${option.items === undefined ? 'value' : takes(option.items)},...`
  if (option.type === 'object') return 'json'
  if (option.type === 'string') return 'text'
  return typeof option.type === 'string' ? option.type : 'value'
}

/** Reads the text of a flag as the schema wants it; whether the value is allowed is for the schema itself to say. */
function parse(text: string, option: OptionSchema): unknown {
  if (option.anyOf !== undefined) return parseAny(text, option.anyOf)
  if (option.enum !== undefined && !option.enum.map(String).includes(text)) {
    throw new InvalidArgumentError(`Allowed: ${option.enum.map(String).join(', ')}.`)
  }
  if (option.const !== undefined && String(option.const) !== text)
    throw new InvalidArgumentError(`Allowed: ${option.const}.`)
  if (option.type === 'integer') return integer(text)
  if (option.type === 'number') return number(text)
  if (option.type === 'null') return nothing(text)
  if (option.type === 'array') return text.split(',').map((item) => parse(item.trim(), option.items ?? {}))
  if (option.type === 'object') return json(text)
  return text
}

function parseAny(text: string, alternatives: readonly OptionSchema[]): unknown {
  for (const alternative of alternatives) {
    try {
      return parse(text, alternative)
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
    }
  }
  throw new InvalidArgumentError(`It takes ${alternatives.map(takes).join(' or ')}.`)
}

function nothing(text: string): typeof none {
  if (text === 'none' || text === 'null') return none
  throw new InvalidArgumentError('Allowed: none.')
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidArgumentError('It is not JSON.')
  }
}

function written(value: unknown): string {
  if (value === null) return 'none'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
