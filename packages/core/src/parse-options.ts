import type { z } from 'zod'
import { CollimateError } from './errors.js'
import { suggestion } from './nearest.js'

/** The parts of zod's definitions that the walk below reads; zod keeps them stable for such tools. */
interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly catchall?: z.ZodType
  readonly innerType?: z.ZodType
  readonly element?: z.ZodType
  readonly in?: z.ZodType
}
const definitionOf = (schema: z.ZodType): Definition => schema._zod.def as unknown as Definition

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value as it was written, short enough for one line. */
export function shown(value: unknown): string {
  const text = typeof value === 'function' ? `[function ${value.name}]` : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The schema under wrappers such as `.default()` and `.optional()`. */
function unwrapped(schema: z.ZodType): z.ZodType {
  const { innerType, in: input } = definitionOf(schema)
  const inner = innerType ?? input
  return inner === undefined ? schema : unwrapped(inner)
}

/** Keys that an object schema does not know, wherever they are nested; objects are strict unless they have a catchall. */
function* unknownKeys(
  schema: z.ZodType,
  value: unknown,
  path: readonly string[],
): Generator<{ path: readonly string[]; known: readonly string[] }> {
  const { type, shape = {}, catchall, element } = definitionOf(unwrapped(schema))
  if (type === 'array' && element && Array.isArray(value))
    for (const [i, item] of value.entries()) yield* unknownKeys(element, item, [...path, String(i)])
  if (type !== 'object' || !isObject(value)) return
  const open = catchall !== undefined && definitionOf(catchall).type !== 'never'
  for (const key of Object.keys(value))
    if (Object.hasOwn(shape, key)) yield* unknownKeys(shape[key], value[key], [...path, key])
    else if (!open) yield { path: [...path, key], known: Object.keys(shape) }
}

/** Description of the option at a path, for hints. */
function descriptionAt(schema: z.ZodType, path: readonly PropertyKey[]): string | undefined {
  if (path.length === 0) return schema.description
  const { shape = {}, element } = definitionOf(unwrapped(schema))
  const next = element ?? shape[String(path[0])]
  return next && descriptionAt(next, path.slice(1))
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value)

/**
 * Parses options with a zod schema. `subject` says whose they are, e.g. `trainer "dpo"`. Unknown options are refused
 * (COLLIMATE_OPTION_UNKNOWN) as are missing ones (COLLIMATE_OPTION_MISSING) and wrong values (COLLIMATE_OPTION_INVALID).
 */
export function parseOptions<Schema extends z.ZodType>(
  subject: string,
  schema: Schema,
  given: unknown,
): z.output<Schema> {
  if (!isObject(given))
    throw new CollimateError('COLLIMATE_OPTION_INVALID', `${subject}: expected options by name, not ${shown(given)}`)
  for (const { path, known } of unknownKeys(schema, given, []))
    throw new CollimateError('COLLIMATE_OPTION_UNKNOWN', `${subject}: unknown option "${path.join('.')}"`, {
      hint: suggestion(path[path.length - 1], known, 'options'),
    })
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const [issue, ...others] = result.error.issues
  const name = issue.path.map(String).join('.')
  const value = valueAt(given, issue.path)
  const description = descriptionAt(schema, issue.path)
  const hint = description === undefined ? undefined : `${name}: ${description}`
  const more = others.length > 0 ? `; and ${others.length} more` : ''
  if (value === undefined && name !== '')
    throw new CollimateError('COLLIMATE_OPTION_MISSING', `${subject}: option "${name}" is missing${more}`, { hint })
  const where = name === '' ? '' : `option "${name}" is ${shown(value)}; `
  throw new CollimateError('COLLIMATE_OPTION_INVALID', `${subject}: ${where}${decapitalised(issue.message)}${more}`, {
    hint,
  })
}

const decapitalised = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
