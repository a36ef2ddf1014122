import { CollimateError, errorLine } from '@collimate/core'
import { CommanderError } from 'commander'

/** Exit statuses of the command; 130 is what a shell gives for an interrupt. */
export const exitStatus = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const

/** An error in how the command was called: exit status 2. */
export function usageError(message: string, hint?: string): CollimateError {
  return new CollimateError('COLLIMATE_USAGE', message, hint === undefined ? {} : { hint })
}

/** Writes an error as one line on stderr (with its stack where `debug`), and says with which status to exit. */
export function reportFailure(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) return reportCommander(error)
  process.stderr.write(`error ${oneLine(errorLine(error))}\n`)
  if (debug && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`)
  if (error instanceof CollimateError && error.code === 'COLLIMATE_RUN_KILLED') return exitStatus.interrupted
  return isUsage(error) ? exitStatus.usage : exitStatus.failure
}

/** `--help` and `--version` also end in a CommanderError, with exit code 0 and nothing to report. */
function reportCommander(error: CommanderError): number {
  if (error.exitCode === 0) return exitStatus.success
  if (error.code === 'commander.help') return exitStatus.usage
  const message = error.message.replace(/^error: /, '')
  process.stderr.write(`error COLLIMATE_USAGE: ${oneLine(message)} (see \`collimate --help\`)\n`)
  return exitStatus.usage
}

/** Whether the caller asked for something that there is not: a flag, an option, a setting. */
function isUsage(error: unknown): boolean {
  return error instanceof CollimateError && /^COLLIMATE_(?:USAGE|SETTING|OPTION)/.test(error.code)
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim()
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
