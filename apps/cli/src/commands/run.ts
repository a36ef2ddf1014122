import {
  applySettings,
  createRegistry,
  isPipeline,
  loadExperiment,
  resolveExperiment,
  runLoaded,
} from '@collimate/core'
import { Command } from 'commander'
import { stringify } from 'yaml'
import { collect } from '../flags.js'
import { reportRun } from '../report.js'
import { untilDone } from '../until-done.js'

interface RunOptions {
  readonly set: readonly string[]
  readonly resume?: boolean
  readonly fresh?: boolean
  readonly dryRun?: boolean
}

/** `collimate run`: an experiment or a pipeline from its file. */
export function runCommand(): Command {
  return new Command('run')
    .description('run an experiment, or a pipeline of stages, from its file')
    .argument('<experiment>', 'file: .yaml, .json, or .ts and .js that export it as default')
    .option(
      '--set <key=value>',
      'change a value, e.g. trainer.beta=0.2, in a pipeline dpo.trainer.beta=0.2; may be repeated',
      collect,
      [],
    )
    .option('--resume', 'go on from the checkpoint of a run that was stopped')
    .option('--fresh', 'run the stages of a pipeline again that are already done')
    .option('--dry-run', 'print the experiment as YAML and do nothing')
    .addHelpText(
      'after',
      `
Stages of a pipeline that are done, with the same values, versions and files, are not run again.

Examples:
  collimate run examples/helpdesk/helpdesk.yaml
  collimate run experiment.yaml --set trainer.learningRate=1e-5 --set seed=7
  collimate run experiment.ts --resume`,
    )
    .action(async (file: string, { set, resume = false, fresh = false, dryRun = false }: RunOptions) => {
      const { config: written, folder } = await loadExperiment(file)
      const config = applySettings(written, set)
      if (!dryRun) return reportRun(await untilDone(runLoaded({ config, folder }, { resume, fresh })))
      const shown = isPipeline(config) ? config : (await resolveExperiment(config, createRegistry(), folder)).config
      process.stdout.write(stringify(shown))
    })
}
