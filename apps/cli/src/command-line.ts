import { createRequire } from 'node:module'
import { Command } from 'commander'
import { compareCommand } from './commands/compare.js'
import { doctorCommand } from './commands/doctor.js'
import { evalCommand } from './commands/eval.js'
import { generateCommand } from './commands/generate.js'
import { lawsCommand } from './commands/laws.js'
import { pluginsCommand } from './commands/plugins.js'
import { runCommand } from './commands/run.js'
import { trainCommands } from './commands/train.js'
import { reportFailure } from './failure.js'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

/** Runs one command line; resolves with the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await commandLine().parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return reportFailure(error, args.includes('--debug') || /\bcollimate\b/.test(process.env['DEBUG'] ?? ''))
  }
}

/** The `collimate` command with all that it can be asked. */
export function commandLine(): Command {
  const program = new Command('collimate')
    .description('Aligns language models with human preferences.')
    .version(version, '-V, --version', 'print the version')
    .option('--debug', 'print the stack of an error')
    .helpCommand(true)
    .addHelpText(
      'after',
      `
Examples:
  collimate dpo --model ./model --data pairs.jsonl --eval-split 0.1 --output out/aligned
  collimate generate --model out/aligned --prompt "Where is my order?"
  collimate run examples/helpdesk/helpdesk.yaml

Exit status: 0 done, 1 failed, 2 called wrongly, 130 interrupted (after saving).`,
    )
  const commands = [
    ...trainCommands(),
    evalCommand(),
    compareCommand(),
    generateCommand(),
    runCommand(),
    pluginsCommand(),
    lawsCommand(),
    doctorCommand(),
  ]
  for (const command of commands) program.addCommand(command)
  for (const command of [program, ...commands]) quiet(command)
  return program
}

/** Errors are thrown and reported in one place; the terminal hears of them once. */
function quiet(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .showHelpAfterError(false)
  command.configureHelp({
    optionTerm: ({ flags, long }) => (isSwitch(command, long) ? flags.replace('--', '--[no-]') : flags),
  })
}

/** Whether an option can be switched on and off. */
function isSwitch(command: Command, long: string | undefined): boolean {
  return command.options.some((option) => option.long === long?.replace('--', '--no-'))
}
