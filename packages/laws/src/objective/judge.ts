import type { ForestBatch, HostTensor, ModelOutput, Objective, TensorData, WeightedMean } from '@collimate/core'
import { input, interpret, where } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { batchInputs, lossProgram, objectiveReport, termScales, unitMasks } from '@collimate/models'
import type { BatchSizes, ModelTensors, ObjectiveProgram } from '@collimate/models'
import { Violation } from '../law.js'
import type { ExampleCase } from './example.js'
import { layOut, noPadding, type Layout, type Padding } from './layout.js'

/** What an objective says of some examples, in float64. */
export interface Judgement {
  readonly loss: number
  /** Gradient by each declared output, over the real tokens (sequences) in the order of the examples. */
  readonly gradient: Readonly<Partial<Record<ModelOutput, readonly number[]>>>
  readonly metrics: Readonly<Record<string, WeightedMean>>
  /** The metrics that are extremes, not means. */
  readonly extremes: Readonly<Record<string, 'least' | 'greatest'>>
}

export interface Judge {
  /** Examples in one batch, or in several micro-batches. */
  (microBatches: readonly (readonly ExampleCase[])[], padding?: Padding): Judgement
}

/**
 * Judges an objective by the very machinery that trains with it: masks, sums, divisions, metrics and gradients are those of
 * `@collimate/models`; only the transformer is replaced by a table of its outputs. Programs are kept by shape.
 */
export function judgeOf(objective: Objective<Tensor>): Judge {
  const programs = new Map<string, ObjectiveProgram>()

  function programFor(sizes: BatchSizes, gradients: 'assign' | 'add'): ObjectiveProgram {
    const key = JSON.stringify([sizes, gradients])
    const program =
      programs.get(key) ?? lossProgram(tableModel(objective, sizes), { objective, sizes, metrics: true, gradients })
    programs.set(key, program)
    return program
  }

  return (microBatches, padding = noPadding) => {
    const layouts = microBatches.map((examples) => layOut(examples, objective, padding))
    const runs = layouts.map((layout) => {
      const built = programFor(layout.sizes, 'assign')
      const states = statesOf(objective, layout)
      const feeds = feedsOf(
        built,
        layout,
        termScales(
          built.terms,
          layouts.map(({ batch }) => batch),
        ),
      )
      const { outputs } = interpret(built.program, { feeds, states })
      const data = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, value.data]))
      return { built, data, states }
    })
    const { loss, metrics } = objectiveReport(
      runs[0].built,
      runs.map(({ data }) => data),
    )
    const gradient = Object.fromEntries(
      objective.outputs.map((name) => [
        name,
        runs.flatMap(({ states }, i) => {
          const { tokenSlots, sequenceSlots } = layouts[i]
          const slots = name === 'scores' ? sequenceSlots : tokenSlots
          return slots.map((slot) => Number(states[`grad.${name}`].data[slot]))
        }),
      ]),
    )
    const extremes = Object.fromEntries(
      runs[0].built.metrics.flatMap(({ name, extreme }) => (extreme ? [[name, extreme]] : [])),
    )
    return { loss, gradient, metrics, extremes }
  }
}

/** A model whose outputs are its weights: the derivative by them is that by the outputs. */
export function tableModel(
  objective: Objective<Tensor>,
  sizes: BatchSizes,
  others: 'given' | 'refused' = 'given',
): ModelTensors {
  const batch = batchInputs(sizes)
  const unitMask = unitMasks(batch)
  const tensor = (name: ModelOutput, role: 'state' | 'feed') =>
    input(name, [name === 'scores' ? sizes.sequences : sizes.scored], 'float', role)
  const weights: Readonly<Record<string, Tensor>> = Object.fromEntries(
    objective.outputs.map((name) => [name, tensor(name, 'state')]),
  )
  return {
    weights,
    batch,
    unitMask,
    output(name) {
      const weight = weights[name] as Tensor | undefined
      if (!weight && others === 'refused')
        throw new Violation(`the loss reads "${name}", which \`outputs\` does not declare`)
      return where(unitMask(name === 'scores' ? 'sequences' : 'tokens'), weight ?? tensor(name, 'feed'), 0)
    },
  }
}

function statesOf({ outputs }: Objective<Tensor>, layout: Layout): Record<string, HostTensor> {
  return Object.fromEntries(
    outputs.flatMap((name) => {
      const data = layout.outputs[name]
      const tensor = (values: Float64Array): HostTensor => ({ dtype: 'float', shape: [values.length], data: values })
      return [
        [name, tensor(data)],
        [`grad.${name}`, tensor(new Float64Array(data.length))],
      ]
    }),
  )
}

function feedsOf({ program }: ObjectiveProgram, layout: Layout, scales: Readonly<Record<string, TensorData>>) {
  const fields = layout.batch as unknown as Readonly<Record<keyof ForestBatch, TensorData>>
  const inputs = Object.fromEntries(Object.entries(layout.batch.inputs).map(([name, data]) => [`inputs.${name}`, data]))
  const known: Readonly<Record<string, TensorData>> = { ...fields, ...layout.outputs, ...inputs, ...scales }
  const wanted = program.inputs.filter(({ role }) => role === 'feed')
  return Object.fromEntries(wanted.map(({ name }) => [name, known[name]]))
}
