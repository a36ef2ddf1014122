import type { Example } from '@collimate/core'
import {
  createTokenizer,
  forestBatch,
  microBatches,
  sumBySequence,
  trainByteBpe,
  type Tokenizer,
} from '@collimate/data'
import { lawsOfForests, lawsOfTokenizer, type Forests } from '@collimate/laws'
import {
  endsAtPadding,
  endsEarly,
  paddingScored,
  pairsSlipped,
  positionsByColumn,
  promptHidden,
  raggedWindow,
  segmentsMerged,
  sourcesEarly,
  sourcesLate,
} from './batches.js'
import type { BatchChange } from './batches.js'
import { mutantsOf, type Mutation } from './mutant.js'

const laidOut = (id: string, defect: string, what: string, change: BatchChange): Mutation<Forests> => ({
  ...{ id: `forest-${id}`, defect, what },
  wrong: ({ forestBatch: make, microBatches: divide, ...rest }) => ({
    ...rest,
    forestBatch: (...given) => change(make(...given)),
    microBatches: (...given) => {
      const { batches, order } = divide(...given)
      return { batches: batches.map(change), order }
    },
  }),
})

export const forests = mutantsOf<Forests>({
  subject: 'batches of examples',
  right: { forestBatch, microBatches, sumBySequence },
  suite: (forests, name) => lawsOfForests({ name, ...forests }),
  mutations: [
    laidOut('scores-late', 'class 2', 'a token is scored where it stands, not before it', sourcesLate),
    laidOut('scores-early', 'class 2', 'a token is scored one token too early', sourcesEarly),
    laidOut('scores-padding', 'class 4', 'padding counts as answer', paddingScored),
    laidOut('ends-early', 'class 12', 'the last token of an answer is taken for padding', endsEarly),
    laidOut('ends-at-padding', 'class 12', 'an answer ends at the padding behind it', endsAtPadding),
    laidOut('ends-of-row', 'class 12', 'every answer ends where its row ends', (batch) => ({
      ...batch,
      ends: batch.ends.map((end) => (Math.floor(end / batch.width) + 1) * batch.width - 1),
    })),
    laidOut('one-window', 'class 13', 'a ragged batch is scored on as many tokens as its shortest row', raggedWindow),
    laidOut('positions-by-column', 'class 14', 'padding between prompt and answer is counted', positionsByColumn),
    laidOut('no-borders', 'class 41', 'packed examples see each other', segmentsMerged),
    laidOut('prompt-hidden', 'class 41', 'answers do not see the prompt that they share', promptHidden),
    laidOut('pairs-slip', 'class 25', 'tokens belong to the answer behind theirs', pairsSlipped),
    laidOut('mask-by-token', 'class 1', 'a token of id 0 is taken for padding', (batch) => ({
      ...batch,
      tokenMask: batch.tokenMask.map((mask, t) => (batch.targets[t] === 0 ? 0 : mask)),
    })),
    laidOut('counts-padding', 'class 55', 'padding is counted among the tokens', (batch) => ({
      ...batch,
      tokenCount: batch.rows * batch.width,
    })),
    {
      id: 'forest-odd-example-lost',
      defect: 'class 25',
      what: 'the last example of an odd batch is left out of the micro-batches',
      wrong: ({ microBatches: divide, ...rest }) => ({
        ...rest,
        microBatches: (examples: readonly Example[], options) =>
          divide(examples.length > 1 && examples.length % 2 === 1 ? examples.slice(0, -1) : examples, options),
      }),
    },
    {
      id: 'forest-inputs-unsorted',
      defect: 'class 38',
      what: 'inputs of an objective are not put in the order that micro-batches have',
      wrong: ({ microBatches: divide, ...rest }) => ({
        ...rest,
        microBatches: (examples, { inputs = {}, ...options }) => {
          let next = 0
          const turned = Object.entries(inputs).map(([name, input]) => {
            const values = (example: Example): ArrayLike<number> => input.values(example, next++ % examples.length)
            return [name, { ...input, values }] as const
          })
          return divide(examples, { ...options, inputs: Object.fromEntries(turned) })
        },
      }),
    },
    {
      id: 'forest-sums-padding',
      defect: 'class 3',
      what: 'sums by sequence take padding with them',
      wrong: ({ sumBySequence: sum, ...rest }) => ({
        ...rest,
        sumBySequence: (batch, perToken) => sum(paddingScored(batch), perToken),
      }),
    },
  ],
})

/** A byte-level tokenizer that begins a text with `<s>` where it is asked to. */
function withBeginning(): Tokenizer {
  const { tokenizer, config } = trainByteBpe(['the cat sat', ' on the mat', 'It is what it is.'], {
    vocabularySize: 300,
    specialTokens: ['<s>'],
  })
  const { id } = (tokenizer.added_tokens as { id: number; content: string }[]).find(({ content }) => content === '<s>')!
  const single = [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }]
  const post_processor = {
    ...{ type: 'TemplateProcessing', single, pair: [...single, { Sequence: { id: 'B', type_id: 1 } }] },
    special_tokens: { '<s>': { id: '<s>', ids: [id], tokens: ['<s>'] } },
  }
  return createTokenizer({ tokenizer: { ...tokenizer, post_processor }, config: { ...config, bos_token: '<s>' } })
}

export const tokenizers = mutantsOf<Tokenizer>({
  subject: 'a byte-level tokenizer',
  right: withBeginning(),
  suite: (tokenizer, name) => lawsOfTokenizer({ name, create: () => tokenizer, claims: { lossless: true } }),
  mutations: [
    {
      id: 'tokenizer-double-beginning',
      defect: 'class 16',
      what: 'a text that begins with its beginning-of-sequence token gets another',
      wrong: (right) => ({
        ...right,
        encode: (text, options) => {
          const ids = right.encode(text)
          return options?.beginning && right.bosToken ? Int32Array.of(right.bosToken.id, ...ids) : ids
        },
      }),
    },
    {
      id: 'tokenizer-null-token',
      defect: 'class 17',
      what: 'the id of a token that is not there is put before a text',
      wrong: (right) => ({ ...right, encode: (text, options) => Int32Array.of(-1, ...right.encode(text, options)) }),
    },
    {
      id: 'tokenizer-strips-spaces',
      defect: 'class 20',
      what: 'spaces around a text are lost',
      wrong: (right) => ({ ...right, encode: (text, options) => right.encode(text.trim(), options) }),
    },
    {
      id: 'tokenizer-special-token-as-text',
      defect: 'class 20',
      what: 'a special token written in a text is taken for letters',
      wrong: (right) => ({
        ...right,
        encode: (text, options) => {
          const end = right.eosToken?.text
          if (!end || !text.includes(end)) return right.encode(text, options)
          return Int32Array.from(text.split('').flatMap((letter) => [...right.encode(letter)]))
        },
      }),
    },
    {
      id: 'tokenizer-decodes-anything',
      defect: '-',
      what: 'an id outside of the vocabulary decodes to nothing',
      wrong: (right) => ({
        ...right,
        decode: (ids, options) =>
          right.decode(
            Array.from(ids).filter((id) => id >= 0 && id < right.vocabularySize),
            options,
          ),
      }),
    },
  ],
})
