import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { manifestOf } from './outside.js'
import { root } from './cli.js'

/** Left out of the copy: what is made, and what is large. */
const left = new Set(['node_modules', 'runs', 'out', '.git', '.nx', '.cache', 'examples', 'test', 'docs'])

/** A copy of the repository that a generator may write into; the packages of others are links to those of the repository. */
export function copyOfRepository(): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'collimate-repository-')))
  cpSync(root, copy, { recursive: true, filter: (path) => relative(root, path) === '' || !left.has(basename(path)) })
  const modules = join(root, 'node_modules')
  mkdirSync(join(copy, 'node_modules/@collimate'), { recursive: true })
  for (const name of readdirSync(modules))
    if (!['@collimate', 'create-collimate-plugin', '.cache', '.vite'].includes(name))
      symlinkSync(join(modules, name), join(copy, 'node_modules', name), 'junction')
  for (const group of ['packages', 'plugins', 'apps', 'tools'])
    for (const name of readdirSync(join(copy, group))) linkPackage(copy, join(group, name))
  return copy
}

/** Links a folder into node_modules, as `npm install` does for a workspace. */
export function linkPackage(copy: string, folder: string): void {
  symlinkSync(join(copy, folder), join(copy, 'node_modules', manifestOf(join(copy, folder)).name), 'junction')
}
