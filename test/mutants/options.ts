import { definePlugin, type Objective, type ObjectiveTensors, type Plugin } from '@collimate/core'
import { constant, evaluate, fill, scatterAdd } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { lawsOfOptions } from '@collimate/laws'
import { dpoLossOptions, dpoObjective, dpoObjectivePlugin, type DpoLossOptions } from '@collimate/trainer-dpo'
import { z } from 'zod'
import { mutantsOf, type Mutation } from './mutant.js'

type ObjectivePlugin = Plugin<'objective'>
type Make = (options: DpoLossOptions) => Objective<Tensor>

const { name, version, engine, kind, description } = dpoObjectivePlugin.definition

/** The objective of DPO as a plugin, made another way or with other options. */
const pluginOf = (create: Make, options: z.ZodType = dpoLossOptions): ObjectivePlugin =>
  definePlugin({
    ...{ name, version, engine, kind, description },
    ...{ options, create: (given) => create(given as DpoLossOptions) },
  }) as unknown as ObjectivePlugin

/** Two pairs of uneven lengths, four and five tokens of which the policy likes some better than its reference does. */
const sequences = constant([0, 0, 1, 2, 2, 2, 3, 3, 3], [9], 'int')
const tokens = (list: readonly number[]): Tensor => constant(list)
const batch: ObjectiveTensors<Tensor> = {
  logProbs: tokens([-1, -2, -0.5, -3, -1, -0.25, -2, -2, -1]),
  inputs: { refLogProbs: tokens([-1.5, -2.5, -1, -2, -1, -1.5, -1, -2.5, -3]) },
  ...{ entropy: fill(1, [9]), correct: fill(1, [9]), meanLogits: fill(0, [9]), values: fill(0, [9]) },
  ...{ scores: fill(0, [4]), tokenMask: fill(1, [9]), sequenceMask: fill(1, [4]), sequences },
  sumBySequence: (perToken) => scatterAdd(fill(0, [4]), sequences, perToken, 0),
}

/** Loss and metrics of that batch. */
function output(plugin: ObjectivePlugin, options: unknown): unknown {
  const objective = plugin.definition.create(options as never, undefined as never) as Objective<Tensor>
  const [{ perUnit }] = objective.terms(batch)
  const { 'rewards/chosen': reward } = objective.metrics(batch)
  return { loss: Array.from(evaluate(perUnit, {}).data), reward: Array.from(evaluate(reward.perUnit, {}).data) }
}

const makeRight: Make = (options) => dpoObjective(options)

/** A loss option that is accepted, and a fixed value in its place. */
const ignored = (
  option: keyof DpoLossOptions,
  value: DpoLossOptions[typeof option],
  defect: string,
): Mutation<ObjectivePlugin> => ({
  ...{ id: `option-${option}-ignored`, defect, what: `${option} is accepted and does nothing` },
  wrong: () =>
    pluginOf((options) => dpoObjective({ ...options, ...(options[option] !== undefined && { [option]: value }) })),
})

export const options = mutantsOf<ObjectivePlugin>({
  subject: 'options of the objective dpo',
  right: pluginOf(makeRight),
  suite: (plugin) =>
    lawsOfOptions({
      plugin,
      output: (given) => output(plugin, given),
      alternatives: {
        loss: [{ value: 'hinge' }, { value: 'exo_pair', refused: true }],
        beta: [{ value: 0.5 }, { value: 0, refused: true }],
        labelSmoothing: [{ value: 0.2 }, { value: 0.2, with: { loss: 'hinge' }, refused: true }],
        fDivergenceType: [{ value: 'forward_kl' }],
        fAlphaDivergenceCoef: [{ value: 0.9, with: { fDivergenceType: 'alpha_divergence' } }],
        discopopTau: [{ value: 0.5, with: { loss: 'discopop' } }],
      },
    }),
  mutations: [
    ignored('loss', 'sigmoid', 'L27, class 30'),
    ignored('beta', 0.1, 'class 34'),
    ignored('labelSmoothing', 0, 'L9'),
    ignored('fDivergenceType', 'reverse_kl', 'class 30'),
    ignored('fAlphaDivergenceCoef', 0.5, 'class 30'),
    ignored('discopopTau', 0.05, 'class 30'),
    {
      id: 'option-conflict-accepted',
      defect: 'L9',
      what: 'a loss that has no smoothing is given one and ignores it',
      wrong: () =>
        pluginOf((given) => {
          try {
            return dpoObjective(given)
          } catch {
            return dpoObjective({ ...given, labelSmoothing: 0 })
          }
        }),
    },
    {
      id: 'option-default-not-as-said',
      defect: 'L27',
      what: 'the default is another than the one that is written down',
      wrong: () => {
        const { description: said } = dpoLossOptions.shape.beta
        const beta = z
          .number()
          .positive()
          .default(0.3)
          .describe(said ?? '')
        return pluginOf(makeRight, z.strictObject({ ...dpoLossOptions.shape, beta }))
      },
    },
  ],
})
