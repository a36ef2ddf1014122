import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Bus, CollimateEvents, Dispose, EventName } from './bus.js'
import { CollimateError } from './errors.js'
import { plain, writeAtomically, writeJson } from './json.js'
import { isRunning, manifestFile, readManifest, writeManifest } from './manifest.js'
import type { Manifest } from './manifest.js'
import { assertOurs, assertWritable } from './paths.js'

/*
 * A run folder:
 *   config.json       the resolved config
 *   environment.json  node, platform, processor, memory, versions, backend, git commit
 *   manifest.json     status, hash of the config, times, steps, model folder, final metrics
 *   events.jsonl      every event of the bus with its time, calls excepted
 *   metrics.jsonl     one line per logged step: step, epoch, metrics; and per evaluation: step, evaluation
 *   samples.jsonl     one line per sample: step, prompt, completions
 *   rollouts.jsonl    one line per rollout: step, prompt, completion, tokens, reward and its parts
 *   checkpoint/       state.bin, the last checkpoint
 *   critic/           the trained critic, where there is one
 *   model/            the trained model, unless the config puts it elsewhere
 */
const files = [
  'config.json',
  'environment.json',
  'events.jsonl',
  'metrics.jsonl',
  'samples.jsonl',
  'rollouts.jsonl',
  manifestFile,
]
export const checkpointFolder = (folder: string): string => join(folder, 'checkpoint')
export const criticFolder = (folder: string): string => join(folder, 'critic')
export const checkpointFile = (folder: string): string => join(checkpointFolder(folder), 'state.bin')

const active = new Set<string>()

/**
 * Takes an output for a run; returns what gives it back. Refused where another run uses it, where it holds other files,
 * or where it cannot be written. Leaves nothing behind.
 */
export function claimOutput(output: string, modelFolder: string): Dispose {
  assertWritable(output, 'the run folder')
  assertWritable(modelFolder, 'the model folder')
  assertOurs(output, manifestFile, 'the run folder')
  // The run may lie in the model's folder, and may have ended before there was a model.
  assertOurs(modelFolder, 'config.json', 'the model folder', relative(modelFolder, output))
  const manifest = readManifest(output)
  if (active.has(output) || (manifest && isRunning(manifest)))
    throw new CollimateError('COLLIMATE_RUN_ACTIVE', `a run is writing to ${output}`, {
      hint: 'wait for it, or give this one another name or output',
    })
  active.add(output)
  return () => void active.delete(output)
}

/** Writes what happens on a bus to a run folder. */
export interface Recorder {
  /** Makes the folder and writes what was heard so far. A resumed run keeps its lines up to `resumeStep`. */
  begin(start: RunStart): void
  update(change: Partial<Manifest>): void
  /** Throws COLLIMATE_OUTPUT_NOT_WRITABLE if a line could not be written. */
  check(): void
  end(): void
}

export interface RunStart {
  readonly folder: string
  readonly config: unknown
  readonly environment: unknown
  readonly manifest: Manifest
  readonly resumeStep: number | undefined
}

interface Lines {
  readonly events: number
  readonly metrics: number
  readonly samples: number
  readonly rollouts: number
}

/** Events that have a file of their own, or are too many for one. */
const unlogged: readonly EventName[] = [
  'call.started',
  'call.finished',
  'rollout.sampled',
  'rollout.scored',
  'advantages.estimated',
]

export function recordRun(bus: Bus): Recorder {
  const early: [file: keyof Lines, line: unknown][] = []
  let lines: Lines | undefined
  let failure: unknown
  let start: RunStart | undefined
  let manifest: Manifest | undefined

  function write(file: keyof Lines, line: unknown): void {
    if (failure !== undefined) return
    if (!lines) return void early.push([file, line])
    try {
      writeSync(lines[file], `${JSON.stringify(plain(line))}\n`)
    } catch (error) {
      failure = error
    }
  }

  const disposers: Dispose[] = [
    bus.onAny((event: EventName, payload) => {
      if (unlogged.includes(event)) return
      write('events', { time: new Date().toISOString(), event, payload })
    }),
    bus.on('metrics.logged', ({ step, metrics }: CollimateEvents['metrics.logged']) => {
      if (Object.keys(metrics).length > 0) write('metrics', { step, ...metrics })
    }),
    bus.on('evaluation.finished', ({ step, metrics }) => write('metrics', { step, evaluation: metrics })),
    bus.on('rollout.scored', ({ step, rollouts, rewards, parts }) =>
      rollouts.forEach(({ prompt, completion, endedBy, version, temperature }, i) => {
        const named = Object.fromEntries(Object.entries(parts).map(([name, values]) => [name, values[i]]))
        const rollout = { prompt: prompt.text, completion: completion.text, tokens: completion.ids.length, endedBy }
        write('rollouts', { step, ...rollout, version, temperature, reward: rewards[i], parts: named })
      }),
    ),
    bus.on('sample.shown', ({ step, sample }) => write('samples', { step, ...sample })),
  ]

  return {
    begin(given) {
      start = given
      const { folder, config, environment, resumeStep } = given
      mkdirSync(folder, { recursive: true })
      if (resumeStep === undefined) {
        for (const file of files) rmSync(join(folder, file), { force: true })
        rmSync(checkpointFolder(folder), { recursive: true, force: true })
      } else {
        dropLaterLines(join(folder, 'metrics.jsonl'), resumeStep)
        dropLaterLines(join(folder, 'samples.jsonl'), resumeStep)
        dropLaterLines(join(folder, 'rollouts.jsonl'), resumeStep)
      }
      manifest = given.manifest
      writeManifest(folder, manifest)
      writeJson(join(folder, 'config.json'), config)
      writeJson(join(folder, 'environment.json'), environment)
      const append = (name: keyof Lines): number => openSync(join(folder, `${name}.jsonl`), 'a')
      lines = {
        ...{ events: append('events'), metrics: append('metrics') },
        ...{ samples: append('samples'), rollouts: append('rollouts') },
      }
      for (const [file, line] of early.splice(0)) write(file, line)
    },
    update(change) {
      if (!start || !manifest) return
      manifest = { ...manifest, ...change }
      writeManifest(start.folder, manifest)
    },
    check() {
      if (failure === undefined) return
      const reason = failure instanceof Error ? failure.message : String(failure)
      throw new CollimateError('COLLIMATE_OUTPUT_NOT_WRITABLE', `the run's log cannot be written: ${reason}`, {
        cause: failure,
      })
    },
    end() {
      for (const dispose of disposers) dispose()
      if (lines) for (const handle of Object.values(lines) as number[]) closeSync(handle)
      lines = undefined
    },
  }
}

/** Takes away the lines of steps that a resumed run does again; the last line of a crashed run may be half. */
function dropLaterLines(file: string, step: number): void {
  if (!existsSync(file)) return
  const kept = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => {
      try {
        return (JSON.parse(line) as { step: number }).step <= step
      } catch {
        return false
      }
    })
  writeAtomically(file, kept.map((line) => `${line}\n`).join(''))
}
