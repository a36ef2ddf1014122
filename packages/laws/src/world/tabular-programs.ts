import { createHash } from 'node:crypto'
import type { ForestBatch, HostTensor, Model, ModelOutput, Objective, TensorData, UpdateRequest } from '@collimate/core'
import { constant, gather, input, interpret, reshape, type Program, type Tensor } from '@collimate/graph'
import {
  adamwFeeds,
  adamwProgram,
  batchFeeds,
  batchSizes,
  firstMomentName,
  gradientName,
  gradientNormProgram,
  hasLanguageHead,
  hasScalarHead,
  objectiveProgram,
  objectiveReport,
  outputsProgram,
  requireFinite,
  requireUnits,
  scoreWeight,
  secondMomentName,
  termScales,
  type Architecture,
  type ModelConfig,
  type ModelHead,
} from '@collimate/models'
import type { Contexts } from './contexts.js'

/** The one parameter of a tabular model: [C, V] logits of the next token in each context, [C, 1] its score, or both, [C, V + 1]. */
export const tableName = 'table'

/** The state buffers that belong to the table. */
export const stateNames = [tableName, firstMomentName(tableName), secondMomentName(tableName)] as const

export type States = Record<string, HostTensor>

/** What a table is: its contexts, the world's tokens, the longest sequence, and what stands in a row. */
export interface TableParts {
  readonly contexts: Contexts
  readonly tokens: number
  readonly contextLength: number
  readonly head: TabularHead
}

/** A row holds the logits of the next token (a policy), one number (a reward model, a critic), or the logits and the number. */
export type TabularHead = ModelHead

/** Numbers in a row. */
export const rowWidth = (head: TabularHead, tokens: number): number =>
  (hasLanguageHead(head) ? tokens : 0) + (hasScalarHead(head) ? 1 : 0)

/** A table looked up by context as a model: what a transformer computes of the tokens, it is told as `contexts`. */
function tabularModel({ contexts, tokens, contextLength, head }: TableParts) {
  const width = rowWidth(head, tokens)
  const shape = [contexts.count, width] as const
  // The table is what is put out: the heads only choose columns.
  const chosen = (first: number, count: number) =>
    constant(
      Float64Array.from({ length: count * width }, (_, i) => (i % width === first + Math.floor(i / width) ? 1 : 0)),
      [count, width],
    )
  const architecture: Pick<Architecture, 'parameters' | 'trunk' | 'head'> = {
    parameters: () => ({ [tableName]: { shape, decay: true, init: { fill: 0 } } }),
    trunk(_config, weights, { tokens: ids, keep = (rows) => rows }) {
      const rows = input('contexts', ids.shape, 'int')
      return keep(gather(weights[tableName], reshape(rows, [ids.size])))
    },
    head: () => chosen(0, tokens),
  }
  // No layers: attention is never asked for.
  const config: ModelConfig = {
    ...{ layers: 0, heads: 1, kvHeads: 1, headDim: width, hidden: width, vocabularySize: tokens, contextLength },
    ...{ attentionScale: 1, tied: false, normEpsilon: 0, initializerRange: 0 },
  }
  const adapt = (weights: Readonly<Record<string, Tensor>>) => ({ ...weights, [scoreWeight]: chosen(width - 1, 1) })
  return { architecture, config, head, ...(hasScalarHead(head) && { adapt }) }
}

/** The programs of a table, run by the interpreter in float64. */
export function tabularPrograms(parts: TableParts) {
  const { contexts } = parts
  const model = tabularModel(parts)
  const parameters = model.architecture.parameters(model.config)
  const cache = new Map<string, unknown>()
  const cached = <Value>(key: string, build: () => Value): Value => {
    const value = (cache.get(key) as Value | undefined) ?? build()
    cache.set(key, value)
    return value
  }

  function run(program: Program, feeds: Readonly<Record<string, TensorData>>, states: States) {
    const names = program.inputs.filter(({ role, name }) => role === 'feed' && name in feeds).map(({ name }) => name)
    const { outputs } = interpret(program, {
      feeds: Object.fromEntries(names.map((name) => [name, feeds[name]])),
      states,
    })
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]))
  }
  const feedsOf = (batch: ForestBatch) => ({ ...batchFeeds(batch), contexts: contexts.ofBatch(batch) })

  /** Loss and metrics; with gradients, their sum over the micro-batches lies in the state `grad.table` afterwards. */
  function objective(
    { objective: use, batches, metrics, temperature = 1 }: Parameters<Model['evaluate']>[0],
    made: Objective<Tensor>,
    states: States,
    withGradients: boolean,
  ) {
    const runs = batches.map((batch, number) => {
      const gradients = !withGradients ? 'none' : number === 0 ? 'assign' : 'add'
      const sizes = batchSizes(batch)
      const key = JSON.stringify({ use, metrics, temperature, sizes, gradients })
      const { program, ...info } = cached(key, () =>
        objectiveProgram({ ...model, sizes, objective: made, metrics, temperature, gradients }),
      )
      requireUnits(info.terms, batches)
      return { info, outputs: run(program, { ...feedsOf(batch), ...termScales(info.terms, batches) }, states) }
    })
    const report = objectiveReport(
      runs[0].info,
      runs.map(({ outputs }) => outputs),
    )
    requireFinite('loss', report.loss)
    return { ...report, tokens: batches.reduce((total, batch) => total + batch.tokenCount, 0) }
  }

  /** Clips and applies `grad.table`; gives its norm before clipping. */
  function optimise({ optimizer, learningRate, maxGradNorm }: UpdateRequest, step: number, states: States): number {
    const norm = cached('norm', () => gradientNormProgram(parameters))
    const gradNorm = run(norm, {}, states).gradNorm[0]
    requireFinite('gradient norm', gradNorm)
    const program = cached(`adamw ${JSON.stringify(optimizer)}`, () => adamwProgram(parameters, optimizer))
    run(program, adamwFeeds({ optimizer, learningRate, step, gradNorm, maxGradNorm }), states)
    return gradNorm
  }

  function outputs(batch: ForestBatch, names: readonly ModelOutput[], temperature: number, states: States) {
    const sizes = batchSizes(batch)
    const key = JSON.stringify({ names, sizes, temperature })
    const program = cached(key, () => outputsProgram({ ...model, sizes, names, temperature }))
    return run(program, feedsOf(batch), states) as Partial<Record<ModelOutput, Float64Array>>
  }

  return { model, shape: parameters[tableName].shape, objective, optimise, outputs }
}

/** States of a table with no history. */
export function freshStates(table: Float64Array, shape: readonly number[]): States {
  const zeros = (): HostTensor => ({ dtype: 'float', shape, data: new Float64Array(table.length) })
  return {
    [tableName]: { dtype: 'float', shape, data: table.slice() },
    [gradientName(tableName)]: zeros(),
    ...Object.fromEntries(stateNames.slice(1).map((name) => [name, zeros()])),
  }
}

/** SHA-256 of the table in float64, hex. */
export const hashOf = (states: States): string =>
  createHash('sha256')
    .update(Buffer.from(Float64Array.from(states[tableName].data).buffer))
    .digest('hex')
