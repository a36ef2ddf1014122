// A plugin from the templates of apps/create-collimate-plugin: `npx nx g @collimate/workspace:plugin --kind reward --name length`.
// CommonJS, because Nx loads generators with require; the templates' package is built by `npm ci`.
const { resolve } = require('node:path')
const { formatFiles, installPackagesTask, updateJson } = require('@nx/devkit')

/**
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ name: string, kind: string, outside?: string, skipInstall?: boolean }} options
 */
module.exports = async function plugin(tree, { name, kind, outside, skipInstall = false }) {
  const { renderInside, renderOutside, writeFiles } = await import('create-collimate-plugin')
  if (outside !== undefined) {
    // Nx's tree ends at the repository.
    writeFiles(resolve(tree.root, outside), renderOutside(kind, name))
    return undefined
  }
  const folder = `plugins/${kind}-${name}`
  if (tree.exists(folder)) throw new Error(`${folder} is there already`)
  for (const [path, content] of renderInside(kind, name)) tree.write(`${folder}/${path}`, content)
  updateJson(tree, 'tsconfig.json', (solution) => ({
    ...solution,
    references: withReference(solution.references, `./${folder}`),
  }))
  await formatFiles(tree)
  return skipInstall ? undefined : () => installPackagesTask(tree, true)
}

/** The reference among those of its group, in their order. */
function withReference(references, path) {
  const plugins = references.map((reference) => reference.path).filter((one) => one.startsWith('./plugins/'))
  const next = plugins.find((one) => one > path)
  const after = references.findIndex((reference) => reference.path === plugins.at(-1)) + 1
  const at = next === undefined ? after : references.findIndex((reference) => reference.path === next)
  return [...references.slice(0, at), { path }, ...references.slice(at)]
}
