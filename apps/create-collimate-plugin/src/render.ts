import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Kind } from './kinds.js'
import { manifestInside, manifestOutside, tsconfigInside } from './manifest.js'
import { namesInside, namesOutside, type Names } from './names.js'

/** Contents of files by their path, with `/`. */
export type Files = ReadonlyMap<string, string>

const root = fileURLToPath(new URL('..', import.meta.url))

/** A package of its own: what `npm create collimate-plugin` writes. */
export function renderOutside(kind: Kind, given: string): Files {
  const names = namesOutside(given)
  return new Map([
    ['package.json', json(manifestOutside(kind, names))],
    ['LICENSE', readFileSync(join(root, 'LICENSE'), 'utf8')],
    ...fromTemplates(join(root, 'templates/outside'), names, kind),
    ...fromTemplates(join(root, 'templates/kinds', kind), names, kind),
    ['README.md', readme(kind, names, 'outside.md')],
  ])
}

/** A folder of Collimate's own repository: paths are relative to `plugins/<kind>-<name>`. */
export function renderInside(kind: Kind, name: string): Files {
  const names = namesInside(name, kind)
  const sources = [...fromTemplates(join(root, 'templates/kinds', kind), names, kind)]
  return new Map([
    ['package.json', json(manifestInside(kind, names))],
    ['tsconfig.json', json(tsconfigInside(kind))],
    ...sources.filter(([path]) => path.startsWith('src/')),
    ['README.md', readme(kind, names, 'inside.md')],
  ])
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/**
 * The files of a template folder, filled in. A leading `_` keeps a file name from meaning something to the tools that look
 * at the template itself (`_tsconfig.json`, `_.gitignore`), and is taken away; `README.md` is put together elsewhere.
 */
function* fromTemplates(folder: string, names: Names, kind: Kind): Generator<[string, string]> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  for (const path of paths.map((one) => one.replaceAll('\\', '/')).sort()) {
    if (path === 'README.md') continue
    yield [path.replace(/(^|\/)_/g, '$1'), filled(readFileSync(join(folder, path), 'utf8'), names, kind)]
  }
}

function readme(kind: Kind, names: Names, ending: string): string {
  const text = (path: string): string => readFileSync(join(root, 'templates', path), 'utf8')
  return filled(`${text(`kinds/${kind}/README.md`)}\n${text(`readme/${ending}`)}`, names, kind)
}

/** Puts names in the place of `__name__`, `__package__`, `__use__`, `__identifier__` and `__kind__`. */
function filled(template: string, names: Names, kind: Kind): string {
  const values: Readonly<Record<string, string>> = {
    name: names.name,
    package: names.package,
    // How an experiment in YAML names it, where a word cannot begin with @; plugins of the repository by their short name.
    use: names.package.startsWith('@collimate/')
      ? names.name
      : names.package.replace(/^@.*$/, (scoped) => `'${scoped}'`),
    identifier: names.identifier,
    kind,
  }
  return template.replace(/__([a-zA-Z]+)__/g, (placeholder, key: string) => {
    if (Object.hasOwn(values, key)) return values[key]
    throw new Error(`a template has the unknown placeholder ${placeholder}`)
  })
}
