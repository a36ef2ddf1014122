import { CollimateError, type Plugin } from '@collimate/core'
import type { LawSuite } from './suite.js'

/** What a plugin's `./laws` exports by default: its laws, bound to what it exports. */
export type PluginLaws = () => Promise<readonly LawSuite[]>

/**
 * The suites of a module that holds a plugin's laws; `where` names it in errors.
 *
 * @throws CollimateError COLLIMATE_LAWS_INVALID where its default export is not a function that gives suites, or gives none.
 */
export async function suitesOfModule(module: unknown, where: string): Promise<readonly LawSuite[]> {
  const refuse = (what: string): never => {
    throw new CollimateError('COLLIMATE_LAWS_INVALID', `the laws of ${where}: ${what}`, {
      hint: 'export default async function laws() { return [lawsOfTrainer({ ... })] }',
    })
  }
  const exported = module as { default?: unknown }
  // A TypeScript file in a CommonJS folder has its exports one level deeper.
  const laws =
    typeof exported.default === 'function' ? exported.default : (exported.default as typeof exported)?.default
  if (typeof laws !== 'function') return refuse('the default export is not a function')
  const suites: unknown = await (laws as () => unknown)()
  if (!Array.isArray(suites) || !suites.every(isSuite))
    return refuse('the default export does not give a list of suites')
  if (suites.length === 0) return refuse('there is no suite')
  return suites
}

const isSuite = (value: unknown): value is LawSuite =>
  typeof value === 'object' && value !== null && 'laws' in value && Array.isArray(value.laws) && 'unproven' in value

/**
 * Capabilities that the manifests of plugins claim and that no suite of theirs was given, as `trainer dpo: generate`: were
 * they false, nobody would notice.
 */
export function unboundClaims(plugins: readonly Plugin[], suites: readonly LawSuite[]): string[] {
  const given = new Set(suites.flatMap(({ claims }) => claims))
  const found = new Set<string>()
  const visit = ({ definition: { kind, name, capabilities = {}, brings = [] } }: Plugin): void => {
    for (const [claim, value] of Object.entries(capabilities))
      if (value !== false && !given.has(claim)) found.add(`${kind} ${name}: ${claim}`)
    brings.forEach(visit)
  }
  plugins.forEach(visit)
  return [...found]
}
