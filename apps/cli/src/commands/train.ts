import { applySettings, createRegistry, experiment, resolveExperiment } from '@collimate/core'
import { Command } from 'commander'
import { stringify } from 'yaml'
import { withBackendFlags } from '../backend-flags.js'
import { collect, flagsOf, givenOptions, integer, number } from '../flags.js'
import { reportRun } from '../report.js'
import { estimatorKeys, experimentOf } from '../train/experiment-of.js'
import type { TrainOptions } from '../train/experiment-of.js'
import { methods } from '../train/methods.js'
import type { Method } from '../train/methods.js'
import { untilDone } from '../until-done.js'

interface RunOptions extends TrainOptions {
  readonly set: readonly string[]
  readonly resume?: boolean
  readonly dryRun?: boolean
}

/** Flags of the command itself: an option of a plugin with such a name is reached by --set. */
const own = new Set([
  ...['model', 'data', 'reward', 'gold', 'evalData', 'evalSplit', 'evalEvery', 'output'],
  ...['seed', 'backend', 'device', 'precision', 'threads', 'set', 'resume', 'dryRun'],
])

/** `collimate sft`, `reward`, `reinforce`, `ppo`, `dpo`: an experiment from flags. */
export function trainCommands(): Command[] {
  return methods.map((method) => trainCommand(method))
}

function trainCommand(method: Method): Command {
  const { plugin, summary, rows, estimator, answers, examples } = method
  const { name, options } = plugin.definition
  const command = new Command(name)
    .description(summary)
    .optionsGroup('Files:')
    .option('--model <folder>', 'Hugging Face folder of the model to train')
    .option('--data <file>', `training rows, JSON or JSONL, also .gz: ${rows}`)
  if (estimator)
    command.option(
      '--reward <entry>',
      'what is maximised: folder of a reward model, a file that exports a reward, the name of one, or { use: ... }',
    )
  if (answers)
    command.option('--gold <entry>', 'what is really wanted, measured on held-out prompts; training never sees it')
  command
    .option('--eval-data <file>', 'held-out rows')
    .option('--eval-split <share>', 'share of the training rows that is held out, or their number', number)
    .option('--eval-every <steps>', 'steps between evaluations; after the last step in any case', integer)
    .option('--output <folder>', 'folder of the trained model; records of the run in its folder `run`', `out/${name}`)
    .optionsGroup('Run:')
    .option('--seed <number>', 'seed of all random numbers (default: 42)', integer)
  withBackendFlags(command)
    .option('--resume', 'go on from the checkpoint of a run that was stopped')
    .option(
      '--set <key=value>',
      'anything else of the experiment, e.g. checkpointEvery=50; may be repeated',
      collect,
      [],
    )
    .option('--dry-run', 'print the experiment as YAML and do nothing')
    .optionsGroup('Method:')
  for (const flag of flagsOf(options, own)) command.addOption(flag)
  if (estimator) {
    const keys = new Set(estimatorKeys(method))
    command.optionsGroup(`Advantages (estimator ${estimator.definition.name}):`)
    for (const flag of flagsOf(estimator.definition.options, own))
      if (keys.has(flag.attributeName())) command.addOption(flag)
  }
  return command
    .optionsGroup('Help:')
    .addHelpText('after', `\nExamples:${examples}`)
    .action(() => train(method, command))
}

async function train(method: Method, command: Command): Promise<void> {
  const options = command.opts<RunOptions>()
  const config = applySettings(experimentOf(method, options, givenOptions(command, own)), options.set)
  if (options.dryRun) {
    const resolved = await resolveExperiment(config, createRegistry(), process.cwd())
    process.stdout.write(stringify(resolved.config))
    return
  }
  reportRun(await untilDone(experiment(config, { resume: options.resume === true })))
}
