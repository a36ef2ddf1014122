import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isLocalFile } from '@collimate/core'
import { parse } from 'yaml'
import { usageError } from './failure.js'

/** A plugin as a command line names it: `{ use: name, option: value }`, a name, or a file. */
export type EntryText = string | { readonly use: string; readonly [option: string]: unknown }

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory()

/**
 * What stands after `--reward`: an entry as in an experiment (`{ use: rule, rules: [...] }`), a folder with a reward model, a
 * file that exports a reward, or the name of one.
 */
export function rewardEntry(text: string, flag = '--reward'): EntryText {
  if (isFolder(text)) {
    if (existsSync(join(text, 'config.json'))) return { use: 'bradley-terry', model: text }
    throw usageError(
      `${flag} ${text} is a folder without a model (no config.json)`,
      'name the folder of a reward model',
    )
  }
  return pluginEntry(text, flag)
}

/** An entry in braces, a file, or a name. */
export function pluginEntry(text: string, flag: string): EntryText {
  if (text.trim() === '') throw usageError(`${flag} is empty`)
  if (!text.trim().startsWith('{')) {
    const isFile = /\.[mc]?[jt]s$/.test(text)
    return isFile && !isLocalFile(text) ? `./${text}` : text
  }
  let entry: unknown
  try {
    entry = parse(text) as unknown
  } catch {
    throw usageError(`${flag} ${text} is not YAML`, `${flag} '{ use: NAME, option: value }'`)
  }
  if (typeof entry === 'object' && entry !== null && 'use' in entry && typeof entry.use === 'string')
    return entry as EntryText
  throw usageError(`${flag} ${text} does not say what to use`, `${flag} '{ use: NAME, option: value }'`)
}

/** `gold=./gold.ts` as name and entry; without a name it is `reward`. */
export function namedReward(text: string): { readonly name: string; readonly entry: EntryText } {
  const named = /^([A-Za-z0-9_][A-Za-z0-9_-]*)=(.+)$/s.exec(text)
  if (named === null) return { name: 'reward', entry: rewardEntry(text) }
  const [, name, rest] = named
  if (name === 'kl' || name === 'length' || name === 'cut') throw usageError(`a reward cannot be called "${name}"`)
  return { name, entry: rewardEntry(rest) }
}
