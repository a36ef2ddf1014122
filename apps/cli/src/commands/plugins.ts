import { errorLine, pluginKinds } from '@collimate/core'
import type { Plugin } from '@collimate/core'
import { Command } from 'commander'
import { usageError } from '../failure.js'
import { optionRows } from '../flags.js'
import { installedPlugins } from '../installed-plugins.js'
import { table } from '../table.js'

interface PluginsOptions {
  readonly verbose?: boolean
  readonly json?: boolean
}

/** `collimate plugins`: what can stand after `use:` in an experiment, and with which options. */
export function pluginsCommand(): Command {
  return new Command('plugins')
    .description('list the installed plugins by kind, or the options of those named')
    .argument('[names...]', 'plugins to describe, e.g. dpo')
    .option('--verbose', 'with the options of every plugin')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  collimate plugins              what there is
  collimate plugins dpo          the options of one plugin
  collimate plugins --json       for programs`,
    )
    .action(async (names: string[], options: PluginsOptions) => {
      const { plugins: installed, broken } = await installedPlugins()
      const plugins = select(installed, names)
      if (options.json) process.stdout.write(`${JSON.stringify(plugins.map(asData), null, 2)}\n`)
      else process.stdout.write(listing(plugins, options.verbose === true || names.length > 0))
      for (const { package: name, error } of broken) {
        process.stderr.write(`warning: ${name} is installed and does not load: ${errorLine(error)}\n`)
      }
    })
}

function select(plugins: readonly Plugin[], names: readonly string[]): readonly Plugin[] {
  const unknown = names.find((name) => !plugins.some(({ definition }) => definition.name === name))
  if (unknown !== undefined) {
    const known = [...new Set(plugins.map(({ definition }) => definition.name))].join(', ')
    throw usageError(`there is no plugin ${JSON.stringify(unknown)}`, `installed: ${known}`)
  }
  return names.length === 0 ? plugins : plugins.filter(({ definition }) => names.includes(definition.name))
}

function asData({ definition }: Plugin): Record<string, unknown> {
  const { name, version, engine, kind, description, capabilities } = definition
  return {
    ...{ name, version, engine, kind, description },
    capabilities: capabilities ?? {},
    options: optionRows(definition.options),
  }
}

function listing(plugins: readonly Plugin[], withOptions: boolean): string {
  const groups = pluginKinds
    .map((kind) => ({ kind, members: plugins.filter(({ definition }) => definition.kind === kind) }))
    .filter(({ members }) => members.length > 0)
  if (withOptions) return groups.flatMap(({ members }) => members.map((member) => `${detailed(member)}\n`)).join('\n')
  const rows = groups.flatMap(({ kind, members }) =>
    members.map(({ definition: { name, version, description } }, index) => [
      index === 0 ? kind : '',
      ...[name, version, description],
    ]),
  )
  return `${table(rows)}\n`
}

function detailed({ definition }: Plugin): string {
  const head = `${definition.kind} ${definition.name} ${definition.version}: ${definition.description}`
  const rows = optionRows(definition.options).map(({ key, takes, description, default: value }) => [
    `  ${key}`,
    takes,
    value ?? '-',
    description,
  ])
  return rows.length === 0
    ? `${head}\n  no options`
    : `${head}\n${table([['  option', 'takes', 'default', ''], ...rows])}`
}
