import { join } from 'node:path'
import { Command } from 'commander'
import { withBackendFlags } from '../backend-flags.js'
import type { BackendOptions } from '../backend-flags.js'
import { exitStatus, usageError } from '../failure.js'
import { collect, integer, number } from '../flags.js'
import { assertWritableFile, writeWhole } from '../output-file.js'
import { namedReward, rewardEntry } from '../plugin-entry.js'
import { createStatus } from '../status.js'
import { stoppable } from '../stoppable.js'

interface CompareOptions extends BackendOptions {
  readonly output: string
  readonly title?: string
  readonly data?: string
  readonly gold?: string
  readonly reward: readonly string[]
  readonly reference?: string
  readonly prompts: number
  readonly maxNewTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
  readonly samples: number
  readonly frontierPrompts: number
  readonly frontierSamples: number
  readonly measure: boolean
  readonly set: readonly string[]
  readonly resume?: boolean
  readonly fresh?: boolean
}

/** `collimate compare`: runs side by side, as one page and as data. */
export function compareCommand(): Command {
  const command = new Command('compare')
    .description('compare runs: one page of pictures and tables (report.html), and the numbers behind it (report.json)')
    .argument('<runs...>', 'run folders, folders of runs, or experiment files, which are run first')
    .option('--output <folder>', 'folder of report.html and report.json', 'out/compare')
    .option('--title <text>', 'title of the page')
    .optionsGroup('What is measured:')
    .option('--gold <entry>', 'what is really wanted: decides who wins (default: what the evaluators of the runs name)')
    .option('--reward <entry>', 'a reward to measure; NAME=... names it; may be repeated', collect, [])
    .option('--reference <folder>', 'model that the KL is measured to (default: the one that training began with)')
    .option('--data <file>', 'prompts (default: the held-out rows of a run)')
    .option('--prompts <number>', 'prompts that every model answers', integer, 100)
    .option('--max-new-tokens <number>', 'most tokens of an answer (default: as the runs were evaluated)', integer)
    .option('--temperature <number>', 'divides the logits (default: as the runs were evaluated)', number)
    .option('--top-p <number>', 'sample from the most likely tokens that hold this probability (default: 1)', number)
    .option('--seed <number>', 'seed of the sampling (default: 42)', integer)
    .option('--samples <number>', 'prompts that are shown with all answers', integer, 6)
    .option('--frontier-prompts <number>', 'prompts that the frontier is estimated on', integer, 24)
    .option('--frontier-samples <number>', 'answers to each of them, per policy; 0 = no frontier', integer, 32)
    .option('--no-measure', 'use the records of the runs alone: no model answers anything')
    .optionsGroup('Experiment files:')
    .option('--set <key=value>', 'change a value, e.g. dpo.trainer.beta=0.2; may be repeated', collect, [])
    .option('--resume', 'go on from the checkpoint of a run that was stopped')
    .option('--fresh', 'run stages again that are already done')
    .optionsGroup('Run:')
  return withBackendFlags(command)
    .optionsGroup('Help:')
    .addHelpText(
      'after',
      `
Every model answers the same held-out prompts with the same random numbers. An <entry> is the folder of a reward model, a file, a
name, or { use: NAME, option: value }.

Examples:
  collimate compare runs/story
  collimate compare runs/dpo runs/ppo runs/ppo-seed2 --gold ./gold.ts --output out/report
  collimate compare story.yaml --prompts 50`,
    )
    .action(compare)
}

async function compare(paths: readonly string[], options: CompareOptions): Promise<void> {
  const { output, prompts, frontierPrompts, frontierSamples, samples } = options
  for (const [flag, value, least] of [
    ['prompts', prompts, 1],
    ['frontier-prompts', frontierPrompts, 1],
    ['frontier-samples', frontierSamples, 0],
    ['samples', samples, 0],
    ['max-new-tokens', options.maxNewTokens ?? 1, 1],
    ['temperature', options.temperature ?? 1, 0],
  ] as const)
    if (value < least) throw usageError(`--${flag} is ${value}; it must be at least ${least}`)
  const rewards = [
    ...(options.gold === undefined ? [] : [{ name: 'gold', entry: rewardEntry(options.gold, '--gold') }]),
    ...options.reward.map(namedReward),
  ]
  const files = { html: join(output, 'report.html'), json: join(output, 'report.json') }
  for (const file of Object.values(files)) assertWritableFile(file)

  // What draws is large: it is loaded when it is needed.
  const { makeReport } = await import('../compare/make-report.js')
  const { runFoldersOf } = await import('../compare/sources.js')
  const folders = await runFoldersOf(paths, options)
  if (folders === undefined) return void (process.exitCode = exitStatus.interrupted)
  const status = createStatus(process.stderr)
  const made = await stoppable(
    (signal) => makeReport(folders, { ...options, rewards }, { status, signal }),
    'these answers',
  ).finally(() => status.clear())
  if (made === undefined) return void (process.exitCode = exitStatus.interrupted)
  writeWhole(files.json, made.json)
  writeWhole(files.html, made.html)
  const lines = [made.summary, files.html, files.json].filter((line) => line !== '')
  process.stdout.write(`${lines.join('\n')}\n`)
}
