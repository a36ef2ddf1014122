import { basename, extname } from 'node:path'
import { CollimateError, importFile, isPlugin } from '@collimate/core'
import type { RuleFunction } from './rule.js'

/**
 * The function that a local .ts or .js file exports: the default export, or the only function that it exports.
 *
 * @param path resolved
 * @throws CollimateError COLLIMATE_REWARD_RULE_INVALID where it exports none
 */
export async function loadRuleFile(path: string): Promise<RuleFunction> {
  const exported = (await importFile(path, process.cwd())) as { readonly default?: { readonly default?: unknown } }
  // A TypeScript file in a CommonJS folder has its exports one level deeper.
  const module = typeof exported.default === 'object' && exported.default !== null ? exported.default : exported
  if (typeof module.default === 'function' && !isPlugin(module.default)) return module.default as RuleFunction
  const functions = Object.values(module).filter((value) => typeof value === 'function')
  if (functions.length === 1 && !isPlugin(functions[0])) return functions[0] as RuleFunction
  throw new CollimateError(
    'COLLIMATE_REWARD_RULE_INVALID',
    `${path} exports ${functions.length === 0 ? 'no function' : functions.some(isPlugin) ? 'a plugin, not a function' : `${functions.length} functions and no default`}`,
    {
      hint: 'export default (x) => number, or null where it cannot say; a plugin of kind reward is a reward by itself',
    },
  )
}

/** What a rule of a file is called. */
export const ruleNameOf = (path: string): string => basename(path, extname(path))
