import type { DataSource, Example } from '@collimate/core'
import { createTokenizer } from '@collimate/data'
import type { Tokenizer } from '@collimate/data'
import type { DatasetLawsOptions } from '@collimate/laws'
import type { Mutation } from './mutant.js'

export type CreateSource = DatasetLawsOptions['create']

/** A source of which some verbs are changed. */
const changed =
  (change: (source: DataSource) => Partial<DataSource>): Mutation<CreateSource>['wrong'] =>
  (right) =>
  async (rows, held) => {
    const source = await right(rows, held)
    return { ...source, ...change(source) }
  }

/** A source whose examples are changed when they are read. */
const reading = (change: (example: Example, tokens: TokenIds) => Example): Mutation<CreateSource>['wrong'] =>
  changed((source) => {
    let tokens: TokenIds = { eos: -1, bos: -1 }
    return {
      open: (request) => {
        const { eosToken, bosToken }: Tokenizer = createTokenizer(request.tokenizer)
        tokens = { eos: eosToken?.id ?? -1, bos: bosToken?.id ?? -1 }
        return source.open(request)
      },
      read: async (request) => (await source.read(request)).map((example) => change(example, tokens)),
    }
  })

/** Ids of the tokenizer, −1 where it has none. */
interface TokenIds {
  readonly eos: number
  readonly bos: number
}

const completions =
  (change: (ids: Int32Array, example: Example, tokens: TokenIds) => Int32Array) =>
  (example: Example, tokens: TokenIds) => ({
    ...example,
    completions: example.completions.map((ids) => change(ids, example, tokens)),
  })
const masks =
  (change: (mask: Uint8Array, ids: Int32Array, tokens: TokenIds) => Uint8Array) =>
  (example: Example, tokens: TokenIds) => ({
    ...example,
    masks: example.completions.map((ids, at) =>
      change(example.masks?.[at].slice() ?? new Uint8Array(ids.length).fill(1), ids, tokens),
    ),
  })
const join = (...parts: (Int32Array | readonly number[])[]): Int32Array =>
  Int32Array.from(parts.flatMap((part) => [...part]))

/** What can go wrong between a row and its token ids. */
export const dataMutations: readonly Mutation<CreateSource>[] = [
  {
    id: 'data-end-masked-as-padding',
    defect: 'class 1',
    what: 'the end token is masked because padding has its id',
    wrong: reading(masks((mask, ids, { eos }) => mask.map((value, at) => (ids[at] === eos ? 0 : value)))),
  },
  {
    id: 'data-mask-off-by-one',
    defect: 'class 2',
    what: 'the mask begins one token late',
    wrong: reading(masks((mask) => mask.map((value, at) => (at === 0 ? 0 : value)))),
  },
  {
    id: 'data-mask-empty',
    defect: 'class 21',
    what: 'the mask of every answer is all zero',
    wrong: reading(masks((mask) => mask.fill(0))),
  },
  {
    id: 'data-prompt-in-completion',
    defect: 'L11',
    what: 'the prompt belongs to the completion, so that it is trained on',
    wrong: reading((example) => ({
      ...example,
      prompt: example.prompt.slice(0, 1),
      completions: example.completions.map((ids) => join(example.prompt.slice(1), ids)),
    })),
  },
  {
    id: 'data-header-in-completion',
    defect: 'class 19',
    what: 'the end of the prompt stands at the beginning of the completion',
    wrong: reading((example) => ({
      ...example,
      prompt: example.prompt.slice(0, -1),
      completions: example.completions.map((ids) => join(example.prompt.slice(-1), ids)),
    })),
  },
  {
    id: 'data-trailing-header',
    defect: 'L13',
    what: 'the header of a next answer is written behind the finished one',
    wrong: reading(completions((ids, { prompt }) => join(ids, prompt.slice(-2)))),
  },
  {
    id: 'data-end-overwrites',
    defect: 'L20',
    what: 'the end token overwrites the last token of an answer',
    wrong: reading(completions((ids, _, { eos }) => (ids.length > 1 ? join(ids.slice(0, -2), [eos]) : ids))),
  },
  {
    id: 'data-end-missing',
    defect: 'class 1',
    what: 'no end token is written behind an answer',
    wrong: reading(completions((ids, _, { eos }) => (ids.at(-1) === eos && ids.length > 1 ? ids.slice(0, -1) : ids))),
  },
  {
    id: 'data-end-twice',
    defect: 'class 16',
    what: 'the end token is written behind an answer that ends with it',
    wrong: reading(completions((ids, _, { eos }) => (ids.at(-1) === eos ? join(ids, [eos]) : ids))),
  },
  {
    id: 'data-beginning-twice',
    defect: 'class 16',
    what: 'a sequence begins with two beginning-of-sequence tokens',
    wrong: reading((example, { bos }) => ({
      ...example,
      prompt: bos < 0 ? example.prompt : join([bos], example.prompt),
    })),
  },
  {
    id: 'data-null-token',
    defect: 'class 17',
    what: 'a token that the tokenizer does not have stands where others have their beginning-of-sequence token',
    wrong: reading((example) => ({ ...example, prompt: join([-1], example.prompt) })),
  },
  {
    id: 'data-merges-lost',
    defect: 'class 18',
    what: 'the two answers of a pair do not share their prompt ids',
    wrong: reading((example) => ({
      ...example,
      completions: example.completions.map((ids, at) => (at === 1 ? join(example.prompt.slice(-1), ids) : ids)),
    })),
  },
  {
    id: 'data-raw-prompt',
    defect: 'class 20',
    what: 'the prompt is tokenised another way than the one that is sampled from',
    wrong: reading((example) => ({ ...example, prompt: Int32Array.from(example.prompt).reverse() })),
  },
  {
    id: 'data-text-of-neighbour',
    defect: '-',
    what: 'the text that goes with the ids is that of another row',
    wrong: changed((source) => ({
      read: async (request) => {
        const examples = await source.read(request)
        return examples.map((example, at) => ({ ...example, text: examples[(at + 1) % examples.length].text }))
      },
    })),
  },
  {
    id: 'data-keeps-emptied',
    defect: 'class 22',
    what: 'a completion that truncation has emptied stays in the data',
    wrong: changed((source) => ({
      open: async (request) => {
        const info = await source.open(request)
        const { emptied = 0, ...dropped } = info.dropped
        return { ...info, train: { ...info.train, length: info.train.length + emptied }, dropped }
      },
      read: async ({ split, indices }) => {
        const examples: Example[] = []
        for (const index of indices) {
          const found = await source.read({ split, indices: [index] }).catch(() => undefined)
          const [example] = found ?? (await source.read({ split, indices: [0] }))
          examples.push(found ? example : { ...example, completions: example.completions.map(() => new Int32Array()) })
        }
        return examples
      },
    })),
  },
  {
    id: 'data-drops-uncounted',
    defect: 'class 22',
    what: 'rows are left out and not counted',
    wrong: changed((source) => ({
      open: async (request) => ({ ...(await source.open(request)), dropped: {} }),
    })),
  },
  {
    id: 'data-truncates-backwards',
    defect: 'class 23',
    what: 'where the answer is longer than the maximum, what is kept is computed from a negative number',
    wrong: changed((source) => {
      let maxLength = Infinity
      return {
        open: async (request) => {
          maxLength = request.maxLength ?? Infinity
          return source.open({ ...request, maxLength: null })
        },
        read: async (request) =>
          (await source.read(request)).map((example) => ({
            ...example,
            completions: example.completions.map((ids) =>
              example.prompt.length + ids.length > maxLength ? ids.slice(0, maxLength - example.prompt.length) : ids,
            ),
          })),
      }
    }),
  },
  {
    id: 'data-ignores-maximum',
    defect: 'class 30',
    what: 'maxLength is accepted and nothing is cut',
    wrong: changed((source) => ({ open: (request) => source.open({ ...request, maxLength: null }) })),
  },
  {
    id: 'data-ignores-truncation-side',
    defect: 'class 30',
    what: 'truncation always keeps the start',
    wrong: changed((source) => ({ open: (request) => source.open({ ...request, truncation: 'keep_start' }) })),
  },
  {
    id: 'data-keeps-identical',
    defect: 'class 24',
    what: 'a pair whose answers are the same tokens stays in the data',
    wrong: changed((source) => ({
      open: async (request) => {
        const info = await source.open(request)
        const { identical = 0, ...dropped } = info.dropped
        return { ...info, train: { ...info.train, length: info.train.length + identical }, dropped }
      },
      read: async ({ split, indices }) => {
        const examples: Example[] = []
        for (const index of indices) {
          const found = await source.read({ split, indices: [index] }).catch(() => undefined)
          const [example] = found ?? (await source.read({ split, indices: [0] }))
          const [first] = example.completions
          examples.push(found ? example : { ...example, completions: example.completions.map(() => first) })
        }
        return examples
      },
    })),
  },
  {
    id: 'data-swaps-answers',
    defect: 'class 25',
    what: 'in every second row the rejected answer stands first',
    wrong: reading((example) =>
      example.index % 2 === 0 ? example : { ...example, completions: [...example.completions].reverse() },
    ),
  },
  {
    id: 'data-index-of-what-is-left',
    defect: '-',
    what: 'the index of an example counts the rows that were kept, not those of the file',
    wrong: changed((source) => ({
      read: async (request) =>
        (await source.read(request)).map((example, at) => ({ ...example, index: request.indices[at] })),
    })),
  },
  {
    id: 'data-order-of-its-own',
    defect: '-',
    what: 'examples come in the order of the file, not in the order asked for',
    wrong: changed((source) => ({
      read: (request) => source.read({ ...request, indices: [...request.indices].sort((a, b) => a - b) }),
    })),
  },
  {
    id: 'data-fingerprint-of-length',
    defect: 'class 43',
    what: 'the fingerprint is the number of rows: cached log-probs outlive the rows that they belong to',
    wrong: changed((source) => ({
      open: async (request) => {
        const info = await source.open(request)
        return { ...info, train: { ...info.train, fingerprint: String(info.train.length) } }
      },
    })),
  },
  {
    id: 'data-columns-lost',
    defect: '-',
    what: 'the other columns of a row are lost',
    wrong: reading((example) => ({ ...example, columns: {} })),
  },
]
