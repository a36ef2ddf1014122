import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { nativeCudaFailure } from './failure.js'

/** Runs a program to its end; what it writes on standard error is in the failure. */
export async function run(command: string, parameters: readonly string[], what: string): Promise<void> {
  const child = spawn(command, parameters, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const [status] = (await once(child, 'close').catch((error: Error) => {
    throw nativeCudaFailure(`${command} does not start: ${error.message}`, 'give a Python with pip: --python <path>')
  })) as [number | null]
  if (status === 0) return
  const hint = said.includes('No module named pip')
    ? 'this Python has no pip; give another: --python <path>'
    : said.includes('No space left')
      ? 'make room, or name another folder: --into <folder>'
      : undefined
  throw nativeCudaFailure(`${what} failed: ${said.trim().split('\n').slice(-3).join(' ')}`, hint)
}
