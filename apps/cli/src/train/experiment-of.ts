import { basename, join } from 'node:path'
import { parsePluginOptions } from '@collimate/core'
import type { ExperimentConfig } from '@collimate/core'
import { backendEntry } from '../backend-flags.js'
import type { BackendOptions } from '../backend-flags.js'
import { usageError } from '../failure.js'
import { kebab, optionRows } from '../flags.js'
import { rewardEntry } from '../plugin-entry.js'
import type { Method } from './methods.js'

/** What a training command is given, beside the options of its method. */
export interface TrainOptions extends BackendOptions, Readonly<Record<string, unknown>> {
  readonly model?: string
  readonly data?: string
  readonly reward?: string
  readonly gold?: string
  readonly evalData?: string
  readonly evalSplit?: number
  readonly evalEvery?: number
  readonly output: string
  readonly seed?: number
}

/** The experiment that the flags of a training command mean; `given` are those that its plugins declare. */
export function experimentOf(
  method: Method,
  options: TrainOptions,
  given: Readonly<Record<string, unknown>>,
): ExperimentConfig {
  const { plugin, estimator, head } = method
  const { name } = plugin.definition
  const { model, data, reward, evalData, evalSplit, evalEvery, output, seed } = options
  for (const [flag, value] of Object.entries({ model, data, ...(estimator && { reward }) }))
    if (value === undefined) throw usageError(`--${kebab(flag)} is missing`, `see \`collimate ${name} --help\``)
  if (evalData !== undefined && evalSplit !== undefined)
    throw usageError('--eval-data and --eval-split exclude each other', 'give one of them')
  const evaluate = evalData ?? evalSplit
  const { trainer, advantages } = divided(method, given)
  const evaluators = evaluatorsOf(method, options, trainer, evaluate !== undefined)
  const wanted = head?.(trainer)
  const run = join(output, 'run')
  return {
    name: nameOf(output, name),
    ...(seed !== undefined && { seed }),
    backend: backendEntry(options),
    policy: { use: 'transformer', model, ...(wanted !== undefined && { head: wanted }) },
    ...(estimator && { reward: rewardEntry(reward!), estimator: { use: estimator.definition.name, ...advantages } }),
    trainer: { use: name, ...trainer },
    data: { use: 'files', train: data, ...(evaluate !== undefined && { evaluate }) },
    ...(evaluators.length > 0 && { evaluators }),
    ...(evalEvery !== undefined && { evaluateEvery: evalEvery }),
    output: run,
    modelFolder: output,
    cacheFolder: join(run, 'cache'),
  }
}

/** The options of a method's estimator that its trainer does not have too. */
export function estimatorKeys({ plugin, estimator }: Method): readonly string[] {
  if (!estimator) return []
  const ofTrainer = new Set(optionRows(plugin.definition.options).map(({ key }) => key))
  return optionRows(estimator.definition.options)
    .map(({ key }) => key)
    .filter((key) => !ofTrainer.has(key))
}

function divided(method: Method, given: Readonly<Record<string, unknown>>) {
  const keys = new Set(estimatorKeys(method))
  const pick = (wanted: boolean) =>
    Object.fromEntries(Object.entries(given).filter(([key]) => keys.has(key) === wanted))
  return { trainer: pick(false), advantages: pick(true) }
}

/** A gold reward is measured on held-out prompts, which are answered as the method samples. */
function evaluatorsOf(
  { plugin, answers }: Method,
  { gold }: TrainOptions,
  trainer: Readonly<Record<string, unknown>>,
  heldOut: boolean,
): NonNullable<ExperimentConfig['evaluators']> {
  if (gold === undefined || !answers) return []
  if (!heldOut) throw usageError('--gold needs held-out prompts', 'give --eval-data or --eval-split')
  const { maxNewTokens, temperature } = parsePluginOptions(plugin, trainer)
  return [
    {
      ...{ use: 'rewards', rewards: { gold: rewardEntry(gold, '--gold') } },
      ...(typeof maxNewTokens === 'number' && { maxNewTokens }),
      ...(typeof temperature === 'number' && { temperature }),
    },
  ]
}

/** The folder's name, where that is a name of an experiment. */
function nameOf(output: string, otherwise: string): string {
  const name = basename(output)
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) ? name : otherwise
}
