import type { Bus } from './bus.js'
import type { ExperimentConfig } from './config.js'
import { createBus } from './create-bus.js'
import type { Plugin } from './plugin.js'
import { createRegistry } from './registry.js'
import type { Registry } from './registry.js'
import { resolveExperiment } from './resolve-experiment.js'
import { runExperiment } from './runner.js'
import type { RunResult } from './runner.js'
import { createStopControl } from './stop-control.js'
import type { StopControl } from './stop-control.js'

/** A run that has been started, or is about to be. */
export interface Run<Result = RunResult> {
  readonly bus: Bus
  /** Rejects with a CollimateError where the run failed. Afterwards nothing of it is alive. */
  readonly finished: Promise<Result>
  /** Ends the run at the next step boundary, with checkpoint and model saved; a second time: at once. */
  stop(): void
}

export interface RunOptions {
  /** Folder that the paths of the config are relative to; default the current one. */
  readonly folder?: string
  /** Go on from the checkpoint in the run folder, in the same bits. */
  readonly resume?: boolean
  /** Run the stages of a pipeline again that are already done. */
  readonly fresh?: boolean
  /** Stops the run when it fires. */
  readonly signal?: AbortSignal
  /** Plugins that the config may name, beside those that are installed. */
  readonly plugins?: readonly Plugin[]
}

/** Starts an experiment at the next turn of the event loop, so that listeners can be attached first. */
export function experiment(config: ExperimentConfig, options: RunOptions = {}): Run {
  const { folder = process.cwd(), resume = false } = options
  return start(options, async ({ bus, registry, control }) => {
    const resolved = await resolveExperiment(config, registry, folder)
    return runExperiment(resolved, { bus, registry, control, resume })
  })
}

/** What the body of a run works with. */
export interface Started {
  readonly bus: Bus
  readonly registry: Registry
  readonly control: StopControl
}

/** Starts the body of a run at the next turn and joins it with its bus and its stop. */
export function start<Result>(
  { signal, plugins }: Pick<RunOptions, 'signal' | 'plugins'>,
  body: (started: Started) => Promise<Result>,
): Run<Result> {
  const bus = createBus()
  const control = createStopControl()
  const stop = (): void => control.stop()
  if (signal?.aborted) stop()
  else signal?.addEventListener('abort', stop, { once: true })
  const finished = new Promise<void>((resolve) => setImmediate(resolve))
    .then(() => body({ bus, registry: createRegistry(plugins), control }))
    .finally(() => signal?.removeEventListener('abort', stop))
  return { bus, finished, stop }
}
