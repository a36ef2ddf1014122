import { basename, join } from 'node:path'
import { applySettings, createRegistry, experiment, resolveExperiment } from '@collimate/core'
import type { ExperimentConfig, Plugin } from '@collimate/core'
import dpo from '@collimate/trainer-dpo'
import sft from '@collimate/trainer-sft'
import { Command } from 'commander'
import { stringify } from 'yaml'
import { usageError } from '../failure.js'
import { flagsOf, givenOptions, integer, kebab, number } from '../flags.js'
import { reportRun } from '../report.js'
import { untilDone } from '../until-done.js'

/** A trainer that has a command of its own. */
interface Method {
  readonly plugin: Plugin<'trainer'>
  readonly summary: string
  readonly rows: string
  readonly examples: string
}

const methods: readonly Method[] = [
  {
    plugin: sft,
    summary: 'fine-tune a model on texts, prompts with completions, or conversations',
    rows: '`prompt` and `completion`, `messages`, or `text`',
    examples: `
  collimate sft --model ./model --data answers.jsonl --output out/sft
  collimate sft --model ./model --data chats.jsonl.gz --eval-split 0.05 --epochs 1 --learning-rate 1e-4`,
  },
  {
    plugin: dpo,
    summary: 'align a model with preference pairs by direct preference optimisation',
    rows: '`prompt`, `chosen` and `rejected`, or `chosen` and `rejected` with a common beginning',
    examples: `
  collimate dpo --model ./model --data pairs.jsonl --eval-split 0.1 --output out/aligned
  collimate dpo --model ./model --data train.jsonl --eval-data test.jsonl --beta 0.05 --steps 500
  collimate dpo --model ./model --data pairs.jsonl --set checkpointEvery=100 --dry-run`,
  },
]

interface TrainOptions extends Readonly<Record<string, unknown>> {
  readonly model?: string
  readonly data?: string
  readonly evalData?: string
  readonly evalSplit?: number
  readonly output: string
  readonly seed?: number
  readonly device?: string
  readonly threads?: number
  readonly set: readonly string[]
  readonly resume?: boolean
  readonly dryRun?: boolean
}

/** Flags of the command itself: an option of a trainer with such a name is reached by --set. */
const own = new Set([
  'model',
  'data',
  'evalData',
  'evalSplit',
  'output',
  'seed',
  'device',
  'threads',
  'set',
  'resume',
  'dryRun',
])

/** `collimate sft`, `collimate dpo`: an experiment from flags. */
export function trainCommands(): Command[] {
  return methods.map((method) => trainCommand(method))
}

function trainCommand({ plugin, summary, rows, examples }: Method): Command {
  const { name, options } = plugin.definition
  const command = new Command(name)
    .description(summary)
    .optionsGroup('Files:')
    .option('--model <folder>', 'Hugging Face folder of the model to train')
    .option('--data <file>', `training rows, JSON or JSONL, also .gz: ${rows}`)
    .option('--eval-data <file>', 'held-out rows')
    .option('--eval-split <share>', 'share of the training rows that is held out, or their number', number)
    .option('--output <folder>', 'folder of the trained model; records of the run in its folder `run`', `out/${name}`)
    .optionsGroup('Run:')
    .option('--seed <number>', 'seed of all random numbers (default: 42)', integer)
    .option('--device <name>', 'cpu, cuda, webgpu, coreml or dml (default: cpu)')
    .option('--threads <number>', 'threads of the backend (default: the physical cores)', integer)
    .option('--resume', 'go on from the checkpoint of a run that was stopped')
    .option('--set <key=value>', 'anything else of the experiment, e.g. evaluateEvery=50; may be repeated', collect, [])
    .option('--dry-run', 'print the experiment as YAML and do nothing')
    .optionsGroup('Method:')
  for (const flag of flagsOf(options, own)) command.addOption(flag)
  return command
    .optionsGroup('Help:')
    .addHelpText('after', `\nExamples:${examples}`)
    .action(() => train(plugin, command))
}

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text]

async function train(plugin: Plugin<'trainer'>, command: Command): Promise<void> {
  const options = command.opts<TrainOptions>()
  const config = applySettings(experimentOf(plugin, options, givenOptions(command, own)), options.set)
  if (options.dryRun) {
    const resolved = await resolveExperiment(config, createRegistry(), process.cwd())
    process.stdout.write(stringify(resolved.config))
    return
  }
  reportRun(await untilDone(experiment(config, { resume: options.resume === true })))
}

function experimentOf(
  { definition }: Plugin<'trainer'>,
  options: TrainOptions,
  method: Readonly<Record<string, unknown>>,
): ExperimentConfig {
  const { model, data, evalData, evalSplit, output, seed, device, threads } = options
  for (const [name, value] of Object.entries({ model, data })) {
    if (value === undefined)
      throw usageError(`--${kebab(name)} is missing`, `see \`collimate ${definition.name} --help\``)
  }
  if (evalData !== undefined && evalSplit !== undefined) {
    throw usageError('--eval-data and --eval-split exclude each other', 'give one of them')
  }
  const evaluate = evalData ?? evalSplit
  const run = join(output, 'run')
  return {
    name: nameOf(output, definition.name),
    ...(seed !== undefined && { seed }),
    backend: { use: 'onnx', ...(device !== undefined && { device }), ...(threads !== undefined && { threads }) },
    policy: { use: 'transformer', model },
    trainer: { use: definition.name, ...method },
    data: { use: 'files', train: data, ...(evaluate !== undefined && { evaluate }) },
    output: run,
    modelFolder: output,
    cacheFolder: join(run, 'cache'),
  }
}

/** The folder's name, where that is a name of an experiment. */
function nameOf(output: string, otherwise: string): string {
  const name = basename(output)
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) ? name : otherwise
}
