import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Measurement, PipelineResult, RunResult, Sample } from '@collimate/core'
import { exitStatus } from './failure.js'

/** Says what came of a run and where it lies; sets the exit status of one that was stopped. */
export function reportRun(result: RunResult | PipelineResult): void {
  if ('stages' in result) {
    for (const stage of Object.values(result.stages)) {
      if (stage.skipped) process.stdout.write(remembered(stage))
    }
  }
  const last = 'stages' in result ? Object.values(result.stages).at(-1) : result
  if (last !== undefined) process.stdout.write(`\n${winRate(last)}${closingLine(last)}\n`)
  if (result.status === 'stopped') process.exitCode = exitStatus.interrupted
}

function closingLine({ status, steps, totalSteps, modelFolder, folder }: RunResult): string {
  if (modelFolder === undefined) return 'stopped before the first step; there was nothing to save'
  const where = `model in ${short(modelFolder)}, records in ${short(folder)}`
  return status === 'done' ? where : `stopped after ${steps} of ${totalSteps} steps; ${where}; go on with --resume`
}

/** The one number that people look for, in a sentence. */
function winRate({ metrics: { win_rate: rate } }: RunResult): string {
  if (rate?.low === undefined || rate.high === undefined) return ''
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  const interval = `95 % interval ${percent(rate.low)} to ${percent(rate.high)}`
  return `win rate against the model before training: ${percent(rate.value)} of ${rate.count} prompts (${interval})\n`
}

/** What a stage that was not run again had shown when it ran. */
function remembered({ name, folder, metrics, steps }: RunResult): string {
  const lines = [`stage ${name}: done before, ${steps} steps`]
  for (const { prompt, completions } of samples(folder)) {
    lines.push('', prompt.trim())
    for (const [who, { text, score }] of Object.entries(completions)) {
      lines.push(`  ${who}${score === undefined ? '' : ` (${score.toFixed(2)})`}: ${text.trim()}`)
    }
  }
  const measured = Object.entries(metrics).map(([metric, value]) => `  ${metric} ${measurement(value)}`)
  return `\n${[...lines, ...(measured.length > 0 ? ['', ...measured] : [])].join('\n')}\n`
}

function measurement({ value, low, high }: Measurement): string {
  const interval =
    low === undefined || high === undefined ? '' : ` (95 % interval ${low.toFixed(3)} to ${high.toFixed(3)})`
  return `${value.toFixed(3)}${interval}`
}

function samples(folder: string): Sample[] {
  const file = join(folder, 'samples.jsonl')
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Sample)
}

/** A path as one would type it. */
function short(path: string): string {
  const near = relative(process.cwd(), path)
  return near !== '' && !near.startsWith('..') ? near : path
}
