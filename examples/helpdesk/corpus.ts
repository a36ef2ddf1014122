/** The helpdesk's corpus as a data source: rows are made in memory, in whatever number and of whatever type is asked for. */
import { CollimateError, definePlugin } from '@collimate/core'
import type { DataRequest, DataSource } from '@collimate/core'
import { prepareExamples } from '@collimate/data'
import type { PreparedSplit } from '@collimate/data'
import { z } from 'zod'
import { demonstration, preference } from './rows.js'

const options = z.strictObject({
  train: z.int().positive().default(4000).describe('rows to train on; default 4000'),
  evaluate: z.int().nonnegative().default(200).describe('held-out rows; default 200'),
  temperature: z
    .number()
    .positive()
    .default(1)
    .describe('of the customers who prefer: P = sigmoid(difference in gold score / temperature); default 1'),
  seed: z.int().nonnegative().default(1).describe('of the corpus; default 1'),
})
type Options = z.output<typeof options>

export default definePlugin({
  name: 'helpdesk-corpus',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'data',
  description:
    'Questions to a helpdesk with answers of mixed quality, or pairs of them with the one that was preferred',
  options,
  create: (chosen) => corpus(chosen),
})

function corpus(options: Options): DataSource {
  let splits: { train: PreparedSplit; evaluation?: PreparedSplit } | undefined
  return {
    async open(request) {
      const train = await prepareExamples(rows(request, options, 'train'), request)
      splits =
        options.evaluate === 0
          ? { train }
          : { train, evaluation: await prepareExamples(rows(request, options, 'evaluation'), request) }
      const { evaluation } = splits
      return { train: train.info, ...(evaluation && { evaluation: evaluation.info }), dropped: train.dropped }
    },
    async read({ split, indices }) {
      const examples = splits?.[split]?.examples ?? []
      return indices.map((index) => examples[index])
    },
    async close() {},
  }
}

/** Rows in TRL's columns, as if they stood in a file. */
function rows({ type }: DataRequest, { train, evaluate, temperature, seed }: Options, split: 'train' | 'evaluation') {
  const held = split === 'evaluation' ? split : undefined
  const row = {
    'prompt-completion': (index: number) => ({ ...demonstration(seed, index, held) }),
    'prompt-only': (index: number) => ({ prompt: demonstration(seed, index, held).prompt }),
    preference: (index: number) => ({ ...preference(seed, index, temperature, held) }),
    'language-modeling': (index: number) => {
      const { prompt, completion } = demonstration(seed, index, held)
      return { text: prompt + completion }
    },
    stepwise: () => {
      throw new CollimateError('COLLIMATE_DATA_FIELD_MISSING', 'the helpdesk corpus does not say which steps are right')
    },
  }[type]
  return Array.from({ length: held ? evaluate : train }, (_, index) => ({
    value: row(index),
    file: `helpdesk corpus, ${split}`,
    line: index + 1,
    index,
  }))
}
