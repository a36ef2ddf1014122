import {
  CollimateError,
  type LossTerm,
  type Metric,
  type Objective,
  type ObjectiveTensors,
  type Unit,
} from '@collimate/core'
import {
  add,
  and,
  cast,
  fill,
  gradients,
  greater,
  input,
  max,
  mul,
  neg,
  program,
  scatterAdd,
  sum,
  where,
  type Program,
  type Tensor,
} from '@collimate/graph'
import { objectiveInput, unitSize, type BatchSizes } from './batch-inputs.js'
import type { TermDescription } from './count-units.js'
import { modelTensors, type ModelProgramRequest, type ModelTensors } from './model-tensors.js'
import { gradientName } from './parameters.js'

/** What the loss program of an objective is, besides its model. */
interface LossRequest {
  readonly sizes: BatchSizes
  readonly objective: Objective<Tensor>
  /** Compute the objective's metrics too. */
  readonly metrics: boolean
  /**
   * What becomes of the gradients of this micro-batch: `assign` puts them into the states `grad.NAME`, `add` adds them to
   * what is there, `none` computes none (evaluation).
   */
  readonly gradients: 'assign' | 'add' | 'none'
}

export interface ObjectiveProgramRequest extends ModelProgramRequest, LossRequest {}

export interface ObjectiveProgram {
  readonly program: Program
  /** Loss terms in order: their counts make the feeds `scale.0`, `scale.1`, ... (`termScales`). */
  readonly terms: readonly TermDescription[]
  readonly metrics: readonly MetricDescription[]
}

/** A metric without its expression. */
export type MetricDescription = Pick<Metric<unknown>, 'extreme'> & { readonly name: string }

/**
 * Loss, metrics and gradients of one micro-batch.
 *
 * Feeds: the batch's fields by name, declared inputs as `inputs.NAME`, and per loss term a scalar `scale.I`, one over the
 * count of its units in all micro-batches of the update: so gradients add up to that of the whole loss, however it is split.
 * States: weights; `grad.NAME` where gradients are kept. Outputs, all scalars: `term.I.sum` and `term.I.count` (before
 * weight and scale), `metric.NAME.sum` and `metric.NAME.count` (the sum of an extreme is the extreme); `objectiveReport`
 * reads them.
 *
 * Padding is cut off by selection, not by multiplication, in inputs, outputs and terms: NaN in a padding slot reaches
 * neither the loss nor a gradient.
 *
 * @throws CollimateError COLLIMATE_OUTPUT_MISSING, COLLIMATE_OBJECTIVE_INVALID
 */
export function objectiveProgram(request: ObjectiveProgramRequest): ObjectiveProgram {
  return lossProgram(modelTensors(request, request.objective.outputs), request)
}

/** The same over any model, such as a table of log-probs: what `objectiveProgram` does after the transformer. */
export function lossProgram(model: ModelTensors, request: LossRequest): ObjectiveProgram {
  const { objective, sizes } = request
  const t = objectiveTensors(objective, model, sizes)
  const terms = objective.terms(t)
  if (terms.length === 0) throw invalid(objective, 'it has no loss term')
  const outputs: Record<string, Tensor> = {}
  const scaled = terms.map((term, i) => {
    const { total, count } = masked(objective, model, sizes, term, selectOf(objective, t, term))
    outputs[`term.${i}.sum`] = total
    outputs[`term.${i}.count`] = count
    return mul(mul(total, input(`scale.${i}`, [])), term.weight ?? 1)
  })
  const metrics = request.metrics ? Object.entries(objective.metrics(t)) : []
  for (const [name, metric] of metrics) {
    const { total, count } = masked(objective, model, sizes, metric, metric.select, metric.extreme)
    outputs[`metric.${name}.sum`] = total
    outputs[`metric.${name}.count`] = count
  }
  return {
    program: program({ name: `${objective.name} loss`, outputs, updates: gradientUpdates(request, model, scaled) }),
    terms: terms.map(({ unit, weight = 1, select }) => ({ unit, weight, ...(select === undefined ? {} : { select }) })),
    metrics: metrics.map(([name, { extreme }]) => ({ name, ...(extreme && { extreme }) })),
  }
}

function gradientUpdates(request: LossRequest, model: ModelTensors, terms: readonly Tensor[]) {
  if (request.gradients === 'none') return []
  const names = Object.keys(model.weights)
  const loss = terms.reduce((total, term) => add(total, term))
  const derivatives = gradients(
    loss,
    names.map((name) => model.weights[name]),
  )
  return names.map((name, i) => {
    const state = input(gradientName(name), model.weights[name].shape, 'float', 'state')
    return { state, value: request.gradients === 'add' ? add(state, derivatives[i]) : derivatives[i] }
  })
}

function objectiveTensors(
  objective: Objective<Tensor>,
  model: ModelTensors,
  sizes: BatchSizes,
): ObjectiveTensors<Tensor> {
  const { sequences, tokenMask, sequenceMask } = model.batch
  for (const name of objective.outputs) model.output(name)
  const inputs = Object.fromEntries(
    Object.entries(objective.inputs).map(([name, unit]) => {
      return [name, where(model.unitMask(unit), objectiveInput(name, unit, sizes), 0)]
    }),
  )
  return {
    get logProbs() {
      return model.output('logProbs')
    },
    get entropy() {
      return model.output('entropy')
    },
    get correct() {
      return model.output('correct')
    },
    get meanLogits() {
      return model.output('meanLogits')
    },
    get values() {
      return model.output('values')
    },
    get scores() {
      return model.output('scores')
    },
    tokenMask,
    sequenceMask,
    sequences,
    inputs,
    sumBySequence: (perToken) =>
      scatterAdd(fill(0, [sizes.sequences]), sequences, where(model.unitMask('tokens'), perToken, 0), 0),
  }
}

/** Far beyond what a float32 model computes with: what stands for nothing in an extreme. */
const beyond = 3e38

/** Sum over the units that count, or their extreme; and their count. */
function masked(
  objective: Objective<Tensor>,
  model: ModelTensors,
  sizes: BatchSizes,
  { perUnit, unit }: { readonly perUnit: Tensor; readonly unit: Unit },
  select: Tensor | undefined,
  extreme?: MetricDescription['extreme'],
): { total: Tensor; count: Tensor } {
  const size = unitSize(sizes, unit)
  for (const tensor of [perUnit, ...(select ? [select] : [])]) {
    if (tensor.rank === 1 && tensor.shape[0] === size) continue
    throw invalid(objective, `a value per ${unit} has shape [${tensor.shape.join(', ')}], it must be [${size}]`)
  }
  const real = model.unitMask(unit)
  const mask = select ? and(real, greater(select, 0.5)) : real
  const count = sum(cast(mask, 'float'))
  if (extreme === 'greatest') return { total: max(where(mask, perUnit, -beyond)), count }
  if (extreme === 'least') return { total: neg(max(where(mask, neg(perUnit), -beyond))), count }
  return { total: sum(where(mask, perUnit, 0)), count }
}

function selectOf(
  objective: Objective<Tensor>,
  t: ObjectiveTensors<Tensor>,
  { select, unit }: LossTerm<Tensor>,
): Tensor | undefined {
  if (select === undefined) return undefined
  if (objective.inputs[select] === unit) return t.inputs[select]
  throw invalid(objective, `a loss term per ${unit} selects by "${select}", which is no input of that unit`)
}

function invalid(objective: Objective<Tensor>, problem: string): CollimateError {
  return new CollimateError('COLLIMATE_OBJECTIVE_INVALID', `objective ${objective.name}: ${problem}`, {
    hint: 'this is a defect of the plugin that provides the objective',
  })
}
