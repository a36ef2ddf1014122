import type { Policy } from '@collimate/core'
import { endsAtPadding, endsEarly, sourcesLate, type BatchChange } from './batches.js'
import { changed, type PolicyMutation } from './policies-layout.js'

type Output = 'values' | 'scores'

/** A policy that computes one output from another batch than the rest. */
const readFrom = (output: Output, change: BatchChange): PolicyMutation['wrong'] =>
  changed((policy) => ({
    outputs: async (request) => {
      const outputs = await policy.outputs(request)
      if (!request.names.includes(output)) return outputs
      return { ...outputs, ...(await policy.outputs({ ...request, batch: change(request.batch), names: [output] })) }
    },
  }))

const without = (field: 'temperature'): PolicyMutation['wrong'] =>
  changed((policy: Policy) => ({
    update: ({ [field]: _left, ...request }) => policy.update(request),
    evaluate: ({ [field]: _left, ...request }) => policy.evaluate(request),
  }))

/** What is read where off the trunk, and at which temperature. */
export const heads: readonly PolicyMutation[] = [
  {
    id: 'policy-score-at-padding',
    defect: 'class 12',
    what: 'the score is read at the padding behind the last token',
    wrong: readFrom('scores', endsAtPadding),
  },
  {
    id: 'policy-score-early',
    defect: 'class 12',
    what: 'the score is read one token early, as where the last one is taken for padding',
    wrong: readFrom('scores', endsEarly),
  },
  {
    id: 'policy-score-of-neighbour',
    defect: 'class 25',
    what: 'a sequence has the score of the one behind it',
    wrong: readFrom('scores', (batch) => {
      const real = batch.sequenceMask.filter((mask) => mask > 0).length
      const slipped = (n: number): number => (n < real ? (n + 1) % real : n)
      return {
        ...batch,
        ends: batch.ends.map((_, n) => batch.ends[slipped(n)]),
        sequences: batch.sequences.map((n) => (n < real ? (n + real - 1) % real : n)),
      }
    }),
  },
  {
    id: 'policy-values-late',
    defect: 'class 2',
    what: 'the value is that of the state behind the scored token, not of the one before it',
    wrong: readFrom('values', sourcesLate),
  },
  {
    id: 'policy-loss-at-temperature-1',
    defect: 'class 47',
    what: 'the loss is computed at temperature 1 on samples of another temperature',
    wrong: without('temperature'),
  },
  {
    id: 'policy-describes-no-scores',
    defect: '-',
    what: 'it computes scores and does not say so',
    wrong: changed((policy) => ({
      describe: async () => {
        const about = await policy.describe()
        return { ...about, outputs: about.outputs.filter((name) => name !== 'scores') }
      },
    })),
  },
]
