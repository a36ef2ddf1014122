import type { z } from 'zod'
import type { Bus } from './bus.js'
import type { Backend, OpSupport } from './contracts/backend.js'
import type { DataSource } from './contracts/data-source.js'
import type { Estimator } from './contracts/estimator.js'
import type { Evaluator } from './contracts/evaluator.js'
import type { Objective } from './contracts/objective.js'
import type { Policy } from './contracts/policy.js'
import type { RewardSource } from './contracts/reward-source.js'
import type { Tracker } from './contracts/tracker.js'
import type { Trainer } from './contracts/trainer.js'
import type { PluginEntry } from './registry.js'

/** Kinds of plugin and what `create` of each returns. */
export interface PluginKinds {
  backend: Backend
  policy: Policy
  reward: RewardSource
  estimator: Estimator
  objective: Objective
  trainer: Trainer
  data: DataSource
  evaluator: Evaluator
  tracker: Tracker
}
export type PluginKind = keyof PluginKinds

/** What a plugin gets when it is created. */
export interface PluginContext {
  readonly bus: Bus
  /** The backend of the experiment: a handle whose verbs are calls on the bus. Absent for plugins of kind `backend`. */
  readonly backend?: Backend
  /**
   * Makes an objective from its name (one that a plugin brings, an installed package, a local file) and its options;
   * COLLIMATE_PLUGIN_UNKNOWN where there is none.
   */
  objective(use: { use: string; options: Readonly<Record<string, unknown>> }): Promise<Objective>
  /**
   * Makes a plugin of another kind, as an experiment names it: a reward source its model (`plugin('policy', { use:
   * 'transformer', model, head: 'score' })`), an evaluator the reward that it measures. It is closed at the end of the run.
   */
  plugin<Kind extends PluginKind>(kind: Kind, entry: PluginEntry<Kind>): Promise<PluginKinds[Kind]>
  /** Resolves a path of the experiment against the folder of its file. */
  path(relative: string): string
  readonly seed: number
  readonly signal: AbortSignal
}

export interface PluginDefinition<Kind extends PluginKind, Options extends z.ZodType> {
  /** Short name as in `use: dpo`; lower case, digits and dashes. */
  readonly name: string
  readonly version: string
  /** Range of @collimate/core versions it works with, e.g. `^0.1.0`. */
  readonly engine: string
  readonly kind: Kind
  /** One line for `collimate plugins`. */
  readonly description: string
  /** Zod schema of an object; every option carries `.describe()` with its unit and default. */
  readonly options: Options
  /** What it claims to do; laws check each claim. */
  readonly capabilities?: Readonly<Record<string, boolean | string | number | readonly string[] | readonly number[]>>
  /** Of a backend: how it computes each op on one of its devices, for people (`collimate doctor --ops`). */
  readonly opSupport?: (device: string) => Readonly<Record<string, OpSupport>>
  /** Plugins that are registered with this one, e.g. a trainer's objectives. */
  readonly brings?: readonly Plugin[]
  /** npm packages that it loads lazily, with the command that installs them. */
  readonly optionalPackages?: Readonly<Record<string, string>>
  create(options: z.output<Options>, context: PluginContext): PluginKinds[Kind] | Promise<PluginKinds[Kind]>
}

/** A plugin with the options it is to be used with: what an experiment in TypeScript is made of. */
export interface PluginUse<out Kind extends PluginKind = PluginKind> {
  readonly plugin: Plugin<Kind>
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * A defined plugin: call it with options to use it (`dpo({ beta: 0.1 })`), or read its metadata without creating it.
 * `Input` is what it may be called with; `never` stands for a plugin whose options are not known here.
 */
export interface Plugin<out Kind extends PluginKind = PluginKind, in Input = never> {
  (options?: Input): PluginUse<Kind>
  readonly definition: PluginDefinition<Kind, z.ZodType>
}
