import { parsePluginOptions, type Plugin, type PluginKind } from '@collimate/core'
import { type LawSuite, suiteOf } from '../suite.js'
import { fingerprint } from './fingerprint.js'
import { matterLaws } from './matter-laws.js'
import { type Options, optionsOf } from './schema.js'
import { schemaLaws } from './schema-laws.js'

export { fingerprint } from './fingerprint.js'
export * from './trainer-options.js'

/** A use of an option that has to show. */
export interface Alternative {
  readonly value: unknown
  /** Other options without which this one has nothing to do; the output is compared with that of these alone. */
  readonly with?: Options
  /** The value must be refused: with a code of Collimate, or with this one. */
  readonly refused?: true | `COLLIMATE_${string}`
}

/** Why no output can show an option, such as one that changes speed alone: it is reported as declared unsupported. */
export interface Unobservable {
  readonly unobservable: string
}

export interface OptionsLawsOptions {
  readonly plugin: Plugin<PluginKind>
  /** Options that the plugin cannot be used without. */
  readonly base?: Options
  /**
   * What comes out of the plugin with these options, parsed and with defaults filled in: data of any kind, the same for the
   * same options. What it throws counts as a refusal where it has a code.
   */
  output(options: Options): unknown
  /**
   * For every public option (`columns.text` is one inside another) the uses that have to show. An option without any fails,
   * and so does one that the plugin does not have.
   */
  readonly alternatives: Readonly<Record<string, readonly Alternative[] | Unobservable>>
  close?(): Promise<void>
}

/** What came of a use: a fingerprint of the output, or the error that refused it. */
export type Outcome = { readonly output: string } | { readonly error: unknown }

/** What every law of options is given. */
export interface OptionsSubject extends Required<Pick<OptionsLawsOptions, 'base' | 'alternatives'>> {
  readonly plugin: Plugin
  /** The same use is tried once. */
  outcome(options: Options): Promise<Outcome>
}

/**
 * Every option matters: each public option of a plugin changes some output or its use is refused, unknown options are
 * refused, and what the options mean is written down and can be read without creating anything.
 */
export function lawsOfOptions({ plugin, base = {}, output, alternatives, close }: OptionsLawsOptions): LawSuite {
  const { kind, name } = plugin.definition
  const tried = new Map<string, Promise<Outcome>>()
  const attempt = async (options: Options): Promise<Outcome> => {
    try {
      return { output: fingerprint(await output(parsePluginOptions(plugin, options))) }
    } catch (error) {
      return { error }
    }
  }
  const subject: OptionsSubject = {
    plugin,
    base,
    alternatives,
    outcome(options) {
      const key = fingerprint(options)
      const known = tried.get(key) ?? attempt(options)
      tried.set(key, known)
      return known
    },
  }
  const suite = suiteOf({
    contract: 'options',
    subject: `${kind} ${name}`,
    laws: [...matterLaws(subject, optionsOf(plugin)), ...schemaLaws(subject, optionsOf(plugin))],
    ...(close && { close }),
  })
  const unsupported = Object.entries(alternatives).flatMap(([option, uses]) =>
    'unobservable' in uses
      ? [{ capability: `${option}: ${uses.unobservable}`, laws: [`options/matters/${option}`] }]
      : [],
  )
  return { ...suite, unsupported: [...suite.unsupported, ...unsupported] }
}
