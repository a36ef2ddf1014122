import type { ForestBatch, Policy } from '@collimate/core'
import type { PolicySubject } from '@collimate/laws'
import {
  paddingScored,
  paddingSeen,
  positionsByColumn,
  promptHidden,
  raggedWindow,
  segmentsMerged,
  sourcesEarly,
  sourcesLate,
  withBatches,
} from './batches.js'
import type { Mutation } from './mutant.js'

export type CreatePolicy = PolicySubject['create']
export type PolicyMutation = Mutation<CreatePolicy>

/** A policy with some of its verbs changed. */
export const changed =
  (change: (policy: Policy) => Partial<Policy>): PolicyMutation['wrong'] =>
  (right) =>
  async (objectives) => {
    const policy = await right(objectives)
    return { ...policy, ...change(policy) }
  }

export const seeing =
  (change: (batch: ForestBatch) => ForestBatch): PolicyMutation['wrong'] =>
  (right) =>
  async (objectives) =>
    withBatches(await right(objectives), change)

/** Masks, positions and what sees what. */
export const layout: readonly PolicyMutation[] = [
  {
    id: 'policy-log-probs-late',
    defect: 'class 2',
    what: 'a token is scored by the distribution behind it',
    wrong: seeing(sourcesLate),
  },
  {
    id: 'policy-log-probs-early',
    defect: 'class 2',
    what: 'a token is scored by the distribution one token too early',
    wrong: seeing(sourcesEarly),
  },
  {
    id: 'policy-scores-padding',
    defect: 'L11',
    what: 'the padding of the scored tokens is scored too',
    wrong: seeing(paddingScored),
  },
  {
    id: 'policy-sees-padding',
    defect: 'class 11',
    what: 'tokens see the padding between them',
    wrong: seeing(paddingSeen),
  },
  {
    id: 'policy-sees-neighbours',
    defect: 'class 41',
    what: 'packed examples and sibling answers see each other',
    wrong: seeing(segmentsMerged),
  },
  {
    id: 'policy-hides-prompt',
    defect: 'class 41',
    what: 'a completion that shares its prompt does not see it',
    wrong: seeing(promptHidden),
  },
  {
    id: 'policy-positions-by-column',
    defect: 'class 14',
    what: 'positions are counted along the row, padding and neighbours included',
    wrong: seeing(positionsByColumn),
  },
  {
    id: 'policy-one-window-for-ragged-rows',
    defect: 'class 13',
    what: 'every sequence is scored on as many tokens as the shortest has',
    wrong: seeing(raggedWindow),
  },
  {
    id: 'policy-mask-by-token-identity',
    defect: 'class 1',
    what: 'tokens of id 0 are taken for padding wherever they stand',
    wrong: seeing((batch) => ({
      ...batch,
      tokenMask: batch.tokenMask.map((mask, t) => (batch.targets[t] === 0 ? 0 : mask)),
    })),
  },
  {
    id: 'policy-padding-poisons',
    defect: 'class 9',
    what: 'padding is multiplied by 0, so that NaN in it reaches the loss',
    wrong: changed((policy) => {
      const zero = (batch: ForestBatch): number =>
        Object.values(batch.inputs).reduce(
          (sum, values) => Array.from(values).reduce((total, value) => total + 0 * value, sum),
          0,
        )
      return {
        evaluate: async (request) => {
          const report = await policy.evaluate(request)
          return { ...report, loss: request.batches.reduce((loss, batch) => loss + zero(batch), report.loss) }
        },
        update: async (request) => {
          const report = await policy.update(request)
          return { ...report, loss: request.batches.reduce((loss, batch) => loss + zero(batch), report.loss) }
        },
      }
    }),
  },
  {
    id: 'policy-padding-in-outputs',
    defect: 'L6',
    what: 'padding slots hold the sentinel 1, so that sums over them are off by one a slot',
    wrong: changed((policy) => ({
      outputs: async (request) => {
        const outputs = await policy.outputs(request)
        for (const values of Object.values(outputs))
          request.batch.tokenMask.forEach((mask, t) => {
            if (mask === 0 && values.length === request.batch.tokenMask.length) values[t] = 1
          })
        return outputs
      },
    })),
  },
  {
    id: 'policy-metrics-average-padding',
    defect: 'L7',
    what: 'metrics per token are averaged over padding slots too',
    wrong: changed((policy) => {
      const diluted: (of: Policy['evaluate']) => Policy['evaluate'] = (of) => async (request) => {
        const report = await of(request)
        const real = sum(request.batches, ({ tokenMask }) => tokenMask.reduce((total, mask) => total + mask, 0))
        const slots = sum(request.batches, ({ tokenMask }) => tokenMask.length)
        const metrics = Object.entries(report.metrics).map(
          ([name, mean]) => [name, mean.count === real ? { ...mean, count: slots } : mean] as const,
        )
        return { ...report, metrics: Object.fromEntries(metrics) }
      }
      return {
        evaluate: diluted(policy.evaluate),
        update: diluted(policy.update as Policy['evaluate']) as Policy['update'],
      }
    }),
  },
]

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0)
