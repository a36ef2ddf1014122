import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { nativeTfjsFailure } from './failure.js'

export interface Running {
  /** What the program is run for, as the failure tells it. */
  readonly what: string
  /** What to do where it does not start or fails. */
  readonly hint: string
  readonly cwd?: string
  readonly environment?: NodeJS.ProcessEnv
}

/** Runs a program to its end and gives what it wrote; the end of what it said on standard error is in the failure. */
export async function run(command: string, parameters: readonly string[], running: Running): Promise<string> {
  const { what, hint, cwd, environment = process.env } = running
  const child = spawn(command, parameters, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let [wrote, said] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (wrote += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const [status, signal] = (await once(child, 'close').catch((error: Error) => {
    throw nativeTfjsFailure(`${what} does not start: ${error.message}`, hint)
  })) as [number | null, NodeJS.Signals | null]
  if (status === 0) return wrote
  const last =
    said.trim().split('\n').slice(-3).join(' ') || (signal === null ? `status ${status}` : `ended by ${signal}`)
  throw nativeTfjsFailure(`${what} failed: ${last}`, said.includes('No space left') ? roomHint : hint)
}

export const roomHint = 'make room, or name another folder: COLLIMATE_NATIVE_TFJS=<folder>'
