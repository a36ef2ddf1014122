import { Command, InvalidArgumentError } from 'commander'
import { collect } from '../flags.js'
import type { LawsOptions } from '../laws/run-laws.js'

/** `collimate laws`: whether plugins keep the laws of the mathematics. */
export function lawsCommand(): Command {
  return new Command('laws')
    .description('check the laws of the mathematics on plugins, installed or local')
    .argument(
      '[plugins...]',
      'names (dpo, trainer-dpo, a package) or paths (a folder, a .ts file); default: everything',
    )
    .option('--runs <count>', 'random cases per law, fewer of those that are dear', count, 100)
    .option('--seed <integer>', 'try the same cases again', integer)
    .option('--path <path>', 'begin with the shrunken case of a failure; needs --law and --seed')
    .option('--law <name>', 'only this law, or this group of laws; may be repeated', collect, [])
    .option('--subject <text>', 'only what has this in its name, e.g. ipo')
    .option('--json', 'as JSON')
    .option('--verbose', 'every law of everything; without it a line per suite where no plugin is named')
    .option('--list', 'list the laws as a page of Markdown, and check none')
    .addHelpText(
      'after',
      `
Each row says how many cases were tried. The laws of a local plugin are in src/laws.ts of its folder, or beside my-reward.ts in my-reward.laws.ts.
Exit status: 0 every law holds, 1 one fails, 130 interrupted. docs/laws.md lists the laws.

Examples:
  collimate laws                                  everything that is installed
  collimate laws dpo --runs 1000
  collimate laws ./my-reward.ts
  collimate laws dpo --law bradley-terry/complement --seed 42 --path 3:0:1      a failure again`,
    )
    .action(async (names: readonly string[], options: LawsOptions) => {
      // The laws bring all packages with them: they are loaded when they are asked for.
      const { runLaws } = await import('../laws/run-laws.js')
      await runLaws(names, options)
    })
}

function integer(text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.')
  return Number(text)
}

function count(text: string): number {
  const value = integer(text)
  if (value < 1) throw new InvalidArgumentError('It has to be 1 or more.')
  return value
}
