import type { Kind } from './kinds.js'
import { UsageError } from './usage-error.js'

/** What a plugin is called in the places where it has a name. */
export interface Names {
  /** As in its definition: `word-count`. */
  readonly name: string
  /** Of the npm package: `collimate-plugin-word-count`, with a scope where one was given. */
  readonly package: string
  /** In code: `wordCount`. */
  readonly identifier: string
}

const prefix = 'collimate-plugin-'

/**
 * The names of a plugin outside of Collimate's repository. `given` is its short name, or the name of its package with or
 * without a scope: `word-count`, `collimate-plugin-word-count`, `@me/collimate-plugin-word-count`.
 */
export function namesOutside(given: string): Names {
  const [, scope = '', rest = ''] = /^(@[a-z0-9][a-z0-9._-]*\/)?(.*)$/.exec(given) ?? []
  const name = checked(rest.startsWith(prefix) ? rest.slice(prefix.length) : rest, given)
  return { name, package: `${scope}${prefix}${name}`, identifier: identifierOf(name) }
}

/** The names of a plugin of the repository itself: its package is `@collimate/<kind>-<name>`. */
export function namesInside(given: string, kind: Kind): Names {
  const name = checked(given, given)
  return { name, package: `@collimate/${kind}-${name}`, identifier: identifierOf(name) }
}

function checked(name: string, given: string): string {
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length <= 60) return name
  throw new UsageError(
    'COLLIMATE_USAGE',
    `"${given}" is no name of a plugin`,
    'lower case letters, digits and dashes, beginning with a letter, e.g. word-count',
  )
}

/** Words that JavaScript keeps for itself. */
const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public ' +
    'return static super switch this throw true try typeof var void while with yield'
  ).split(' '),
)

function identifierOf(name: string): string {
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  return reserved.has(camel) ? `${camel}Plugin` : camel
}
