import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CollimateError, type Tracker } from '@collimate/core'

export interface CsvOptions {
  /** Path of the file; what is there is replaced when the run begins. */
  readonly file: string
  /** Names of the metrics to write, or all of them. */
  readonly metrics?: readonly string[]
}

/**
 * Writes one line per logged metric: step, name, value.
 *
 * A tracker only listens. Listeners are called while the run goes on, so they are quick and keep nothing waiting; one that throws
 * stops nobody: the bus tells of it as `listener.failed`.
 */
export function csvTracker({ file, metrics: wanted }: CsvOptions): Tracker {
  return {
    attach(bus) {
      const line = (step: number, name: string, value: number): string => `${step},${quoted(name)},${value}\n`
      const write = (step: number, metrics: Readonly<Record<string, number>>): void => {
        const chosen = Object.entries(metrics).filter(([name]) => wanted === undefined || wanted.includes(name))
        if (chosen.length > 0) appendFileSync(file, chosen.map(([name, value]) => line(step, name, value)).join(''))
      }
      begin(file)
      const listening = [
        bus.on('metrics.logged', ({ step, metrics }) => write(step, metrics)),
        bus.on('evaluation.finished', ({ step, metrics }) =>
          write(step, Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value]))),
        ),
      ]
      // What ends the listening: called once after the run. A listener that is left behind is a leak, and a law finds it.
      return () => listening.forEach((stop) => stop())
    },
    // Nothing is held back, so there is nothing to flush.
    async close() {},
  }
}

function begin(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, 'step,metric,value\n')
  } catch (error) {
    throw new CollimateError('COLLIMATE_OUTPUT_NOT_WRITABLE', `${file} cannot be written`, {
      hint: 'choose another file',
      cause: error,
    })
  }
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
