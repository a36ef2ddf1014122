import type { Plugin } from '@collimate/core'

/** The parts of zod's definitions that the walk below reads; zod keeps them stable for such tools. */
interface Schema {
  readonly description?: string
  readonly _zod: { readonly def: Definition }
}
interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, Schema>>
  readonly innerType?: Schema
  readonly in?: Schema
}

/** A public option: its name, with dots where it is inside another (`columns.text`), and what its schema says of it. */
export interface Option {
  readonly name: string
  readonly description: string
}

/** The options of a plugin, those inside objects of options by themselves. */
export function optionsOf({ definition }: Plugin): Option[] {
  return walk(definition.options as unknown as Schema, '', '')
}

function walk(schema: Schema, name: string, outer: string): Option[] {
  const { type, shape } = unwrapped(schema)._zod.def
  const description = descriptionOf(schema) || outer
  if (type !== 'object' || shape === undefined) return [{ name, description }]
  const inside = Object.entries(shape).flatMap(([key, inner]) =>
    walk(inner, name === '' ? key : `${name}.${key}`, name === '' ? '' : description),
  )
  // An object of free form is an option itself.
  return inside.length > 0 || name === '' ? inside : [{ name, description }]
}

/** The schema under wrappers such as `.default()` and `.optional()`. */
function unwrapped(schema: Schema): Schema {
  const inner = schema._zod.def.innerType ?? schema._zod.def.in
  return inner === undefined ? schema : unwrapped(inner)
}

/** The outermost description. */
function descriptionOf(schema: Schema): string {
  const inner = schema._zod.def.innerType ?? schema._zod.def.in
  return schema.description ?? (inner === undefined ? '' : descriptionOf(inner))
}

export type Options = Readonly<Record<string, unknown>>

/** Options with one set, by its name with dots. */
export function withOption(options: Options, name: string, value: unknown): Options {
  const [first, ...rest] = name.split('.')
  const inner = options[first]
  return {
    ...options,
    [first]: rest.length === 0 ? value : withOption(isOptions(inner) ? inner : {}, rest.join('.'), value),
  }
}

/** The value of an option, by its name with dots. */
export function optionAt(options: unknown, name: string): unknown {
  return name.split('.').reduce<unknown>((inner, key) => (isOptions(inner) ? inner[key] : undefined), options)
}

const isOptions = (value: unknown): value is Options =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
