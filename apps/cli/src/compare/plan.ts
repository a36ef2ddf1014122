import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { PluginEntry, Sampling } from '@collimate/core'
import { folderOf, methodOf, modelOf, rewardsEvaluatorOf, seedOf, startingModelOf } from '@collimate/report'
import type { RunRecord } from '@collimate/report'
import type { PromptOrigin } from '../measure/prompt-source.js'
import { promptOrigin } from '../measure/prompt-source.js'

/** A reward with the folder that its paths are relative to. */
export interface PlacedReward {
  readonly entry: PluginEntry<'reward'>
  readonly folder: string
}

/** A model that is to answer the prompts. */
export interface PlannedModel {
  /** Position of its run; absent for a reference that no run has made. */
  readonly run?: number
  readonly name: string
  readonly entry: PluginEntry<'policy'>
  readonly folder: string
  /** Folder of the model that its KL is measured to. */
  readonly reference: string
  readonly isReference: boolean
  readonly rewards: Readonly<Record<string, PlacedReward>>
}

/** What a comparison measures, found out from the runs and from what was asked for. */
export interface Plan {
  /** References first. */
  readonly models: readonly PlannedModel[]
  /** Absent where no run has held-out rows and none were named. */
  readonly origin: PromptOrigin | undefined
  readonly sampling: Sampling
  readonly notes: readonly string[]
}

export interface PlanRequest {
  readonly reference?: string
  readonly data?: string
  readonly rewards: readonly { readonly name: string; readonly entry: PluginEntry<'reward'> }[]
  readonly maxNewTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Decides which models answer, against which reference and by which rewards they are measured, and where prompts come from. */
export function planMeasurement(records: readonly RunRecord[], asked: PlanRequest): Plan {
  const notes: string[] = []
  const policies = records.flatMap((record, run) => {
    const model = modelOf(record)
    if (model === undefined) notes.push(`${record.manifest.name} has left no model: it answers nothing`)
    else if (!existsSync(join(model, 'config.json')))
      notes.push(`the model of ${record.manifest.name} is gone (${model})`)
    else if (!isRewardModel(model)) return [{ record, run, model }]
    return []
  })
  const named = asked.reference === undefined ? undefined : resolve(asked.reference)
  const bases = new Set(records.map(baseOf))
  const referenceOf = ({ record, model }: (typeof policies)[number]): string =>
    // What others began with is measured against itself, not against what it began with.
    named ?? (bases.has(model) ? model : (baseOf(record) ?? model))
  const placed = asked.rewards.map(({ name, entry }) => [name, { entry, folder: process.cwd() }] as const)
  const ownRewards = records.map(rewardsOfRun)
  const rewardsOf = (reference: string, run?: number): PlannedModel['rewards'] => {
    const group = policies.filter((policy) => referenceOf(policy) === reference).map((policy) => ownRewards[policy.run])
    const shared = group.reduceRight((all, one) => ({ ...all, ...one }), {})
    return { ...shared, ...(run !== undefined && ownRewards[run]), ...Object.fromEntries(placed) }
  }
  const trained = policies.map((policy): PlannedModel => {
    const { record, run, model } = policy
    const reference = referenceOf(policy)
    return {
      ...{ run, name: record.manifest.name, folder: folderOf(record), reference, isReference: reference === model },
      entry: { use: policyOf(record), model },
      rewards: rewardsOf(reference, run),
    }
  })
  const missing = [...new Set(trained.map(({ reference }) => reference))].filter(
    (reference) => !trained.some((model) => model.isReference && model.reference === reference),
  )
  const references = missing.map((reference): PlannedModel => ({
    ...{ name: nameOf(reference), folder: process.cwd(), reference, isReference: true },
    entry: { use: 'transformer', model: reference },
    rewards: rewardsOf(reference),
  }))
  return {
    models: [...references, ...trained.filter((one) => one.isReference), ...trained.filter((one) => !one.isReference)],
    origin: asked.data === undefined ? originOf(records) : promptOrigin(asked.data, asked.seed ?? 42),
    sampling: samplingOf(records, asked),
    notes,
  }
}

/** The model that a run is compared with: what its evaluator measures to, else what it began with. */
function baseOf(record: RunRecord): string | undefined {
  const { reference } = rewardsEvaluatorOf(record) ?? {}
  return typeof reference === 'string' ? resolve(folderOf(record), reference) : startingModelOf(record)
}

const nameOf = (model: string): string => (basename(model) === 'model' ? basename(dirname(model)) : basename(model))

function policyOf({ config: { policy } }: RunRecord): string {
  const use = isMapping(policy) ? policy['use'] : policy
  return typeof use === 'string' ? use : 'transformer'
}

/** Whether a model folder holds a reward model, as transformers says it. */
function isRewardModel(model: string): boolean {
  try {
    const { architectures } = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as {
      architectures?: unknown
    }
    return Array.isArray(architectures) && String(architectures[0]).includes('SequenceClassification')
  } catch {
    return false
  }
}

/**
 * What a run was measured by: the rewards of its evaluator, and the reward of the experiment. The latter is what training
 * sees where the method learns from one; where an evaluator alone asks it, it is gold.
 */
function rewardsOfRun(record: RunRecord): PlannedModel['rewards'] {
  const folder = folderOf(record)
  const { rewards } = rewardsEvaluatorOf(record) ?? {}
  const { reward } = record.config
  const offline = ['sft', 'dpo', 'reward'].includes(methodOf(record))
  const own = reward === undefined ? {} : { [offline ? 'gold' : 'reward']: reward }
  return Object.fromEntries(
    Object.entries({ ...own, ...(isMapping(rewards) ? rewards : {}) }).map(([name, entry]) => [
      name,
      { entry: entry as PluginEntry<'reward'>, folder },
    ]),
  )
}

/** The held-out prompts of a run: of one that samples before one that has pairs, before one that has texts. */
function originOf(records: readonly RunRecord[]): PromptOrigin | undefined {
  const order = ['ppo', 'reinforce', 'dpo', 'sft']
  const rank = (record: RunRecord): number => {
    const at = order.indexOf(methodOf(record))
    return at < 0 ? order.length : at
  }
  const candidates = records.filter((record) => holdsOut(record)).sort((a, b) => rank(a) - rank(b))
  const [first] = candidates
  if (!first) return undefined
  return { entry: first.config['data'] as PluginEntry<'data'>, folder: folderOf(first), seed: seedOf(first) }
}

/** Whether a run has measured on held-out rows. */
const holdsOut = ({ evaluations, config: { data } }: RunRecord): boolean =>
  evaluations.length > 0 || (isMapping(data) && data['evaluate'] !== undefined && data['evaluate'] !== 0)

/** As the runs were evaluated, where they agree with the first that says it. */
function samplingOf(records: readonly RunRecord[], asked: PlanRequest): Sampling {
  const evaluators = records.flatMap((record) => {
    const entries = record.config['evaluators']
    return Array.isArray(entries) ? (entries as unknown[]).filter(isMapping) : []
  })
  const trainers = records.map(({ config: { trainer } }) => trainer).filter(isMapping)
  const first = (option: string): number | undefined =>
    [...evaluators, ...trainers].map(({ [option]: value }) => value).find((value) => typeof value === 'number')
  const topP = asked.topP ?? 1
  return {
    maxNewTokens: asked.maxNewTokens ?? first('maxNewTokens') ?? 64,
    temperature: asked.temperature ?? first('temperature') ?? 1,
    seed: asked.seed ?? 42,
    ...(topP < 1 && { topP }),
  }
}
