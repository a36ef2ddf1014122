/**
 * The typed event bus: events say what happened, calls ask for something, wraps stand between caller and server.
 *
 * Third parties add their own types by declaration merging:
 * ```ts
 * declare module '@collimate/core' {
 *   interface CollimateEvents { 'my.event': { count: number } }
 * }
 * ```
 */
import type { Backend } from './contracts/backend.js'
import type { DataSource } from './contracts/data-source.js'
import type { Sample } from './contracts/evaluator.js'
import type { Estimator, EstimatorReply, EstimatorRequest } from './contracts/estimator.js'
import type { Model } from './contracts/model.js'
import type { Policy, Reference } from './contracts/policy.js'
import type { RewardSource } from './contracts/reward-source.js'
import type { Rollout } from './contracts/rollout.js'
import type { Measurement } from './contracts/trainer.js'
import type { Resources } from './manifest.js'

/** Events by name. Payloads are plain data. */
export interface CollimateEvents {
  /** The run enters a phase: `loading`, `preparing`, `training`, `evaluating`, `saving`, `done`. */
  'phase.changed': { phase: string; detail?: string }
  /** A stage of a pipeline (`index` from 0, of `count`) begins, is done, or is left out because it was done before. */
  'stage.changed': { stage: string; index: number; count: number; state: 'running' | 'skipped' | 'done' }
  /** Progress of a long preparation, e.g. reference log-probs. */
  'progress.made': { phase: string; done: number; total: number; unit: string }
  /** After every optimiser step. `metrics` is empty on steps that are not logged. */
  'metrics.logged': {
    step: number
    totalSteps: number
    metrics: Readonly<Record<string, number>>
    tokens: number
    /** Wall time of the step, seconds. */
    seconds: number
  }
  'policy.updated': { step: number; version: number }
  /** Completions were sampled in `step` (from 1); those of one prompt, `groupSize` of them, are neighbours. */
  'rollout.sampled': { step: number; rollouts: readonly Rollout[]; groupSize: number; seconds: number }
  /** They were scored: [n] total rewards before any KL penalty, and by name those of each part of the reward. */
  'rollout.scored': {
    step: number
    rollouts: readonly Rollout[]
    rewards: Float64Array
    parts: Readonly<Record<string, Float64Array>>
    seconds: number
  }
  /** What the estimator was asked, and its answer. */
  'advantages.estimated': { step: number; request: EstimatorRequest; reply: EstimatorReply }
  /** What the run holds, after its first step and at its end. */
  'resources.measured': Resources
  'evaluation.finished': { step: number; metrics: Readonly<Record<string, Measurement>> }
  'sample.shown': { step: number; sample: Sample }
  'checkpoint.saved': { step: number; folder: string }
  'model.saved': { folder: string }
  'warning.raised': { code: string; message: string }
  'listener.failed': { event: string; message: string }
  /** A call began and ended; `id` joins the two. Payloads are the request and reply themselves. */
  'call.started': { id: number; call: string; request: unknown }
  'call.finished': { id: number; call: string; seconds: number; reply?: unknown; error?: unknown }
}

/** The calls of a contract served under a role: `policy.generate`, `reference.outputs`, ... */
type CallsOf<Role extends string, Contract> = {
  [Verb in keyof Contract & string as `${Role}.${Verb}`]: Contract[Verb] extends (
    request: infer Request,
  ) => Promise<infer Reply>
    ? { request: Request; reply: Reply }
    : never
}

/** Calls by name, each with its request and reply. */
export interface CollimateCalls
  extends
    CallsOf<'backend', Backend>,
    CallsOf<'policy', Omit<Policy, 'reference'>>,
    CallsOf<'reference', Reference>,
    CallsOf<'critic', Model>,
    CallsOf<'reward', RewardSource>,
    CallsOf<'estimator', Estimator>,
    CallsOf<'data', DataSource> {}

export type EventName = keyof CollimateEvents
export type CallName = keyof CollimateCalls
export type Dispose = () => void

export type Handler<Name extends CallName> = (
  request: CollimateCalls[Name]['request'],
) => Promise<CollimateCalls[Name]['reply']>

export interface Bus {
  /** Tells every listener; a listener that throws stops nobody and becomes `listener.failed`. */
  emit<Name extends EventName>(name: Name, payload: CollimateEvents[Name]): void
  /** Listens to one event; returns what ends the listening. */
  on<Name extends EventName>(name: Name, listener: (payload: CollimateEvents[Name]) => void): Dispose
  /** Listens to every event. */
  onAny(listener: (name: EventName, payload: CollimateEvents[EventName]) => void): Dispose
  /** Asks the one server of `name`, through the wraps; errors travel back. COLLIMATE_CALL_UNSERVED where nobody serves it. */
  call<Name extends CallName>(
    name: Name,
    request: CollimateCalls[Name]['request'],
  ): Promise<CollimateCalls[Name]['reply']>
  /** Answers a call; a second server of the same name is refused (COLLIMATE_CALL_SERVED_TWICE). */
  serve<Name extends CallName>(name: Name, handler: Handler<Name>): Dispose
  /** Stands between callers and the server; the last wrap added is the outermost. */
  wrap<Name extends CallName>(
    name: Name,
    wrapper: (request: CollimateCalls[Name]['request'], next: Handler<Name>) => Promise<CollimateCalls[Name]['reply']>,
  ): Dispose
  /** Calls that have not been answered yet, for diagnosing a hang. */
  pending(): readonly { id: number; call: string; seconds: number }[]
}
