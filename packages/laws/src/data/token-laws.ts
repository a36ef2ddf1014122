import type { Example } from '@collimate/core'
import { createTokenizer, type Tokenizer } from '@collimate/data'
import fc from 'fast-check'
import { law, type Law, require } from '../law.js'
import {
  BEGINNING,
  type DataSubject,
  type NamedTokenizer,
  opened,
  type Row,
  shownIds,
  shownRows,
  stepsOf,
  textsOf,
} from './rows.js'

/** Laws of what a row's texts become. */
export function tokenLaws(subject: DataSubject): Law[] {
  const { type } = subject
  const stepwise = type === 'stepwise'
  const prompted = type === 'preference' || type === 'prompt-completion' || stepwise
  const completed = type !== 'prompt-only' && !stepwise
  return [
    textSurvives(subject),
    ...(prompted ? [promptIsPrefix(subject)] : []),
    ...(completed ? [endsOnce(subject), maskCoversCompletion(subject)] : []),
    ...(completed || stepwise ? [padDoesNotMatter(subject)] : []),
    ...(stepwise ? [stepsHaveLabels(subject)] : []),
    beginsOnce(subject),
  ]
}

interface Case {
  readonly rows: readonly Row[]
  readonly with: NamedTokenizer
}

const cases = ({ rows, tokenizers }: DataSubject) =>
  fc.record({ rows: fc.array(rows, { minLength: 1, maxLength: 4 }), with: fc.constantFrom(...tokenizers) })

const show = ({ rows, with: { name } }: Case): string => `${shownRows(rows)}\nwith a tokenizer that ${name}`

/** Calls `work` with each example and the row that it came from. */
async function eachExample(
  subject: DataSubject,
  { rows, with: { files } }: Case,
  work: (example: Example, texts: { prompt: string; completions: string[] }, tokenizer: Tokenizer) => void,
): Promise<void> {
  const tokenizer = createTokenizer(files)
  await opened(subject, rows, { tokenizer: files }, ({ train }) => {
    for (const example of train) {
      const row = rows[example.index]
      require(row !== undefined, `an example says that it is row ${example.index} of ${rows.length}`)
      work(example, textsOf(row, subject.type), tokenizer)
    }
  })
}

const whole = ({ prompt }: Example, completion: Int32Array): Int32Array => Int32Array.of(...prompt, ...completion)

function textSurvives(subject: DataSubject): Law {
  return law({
    name: 'data/text-survives',
    statement:
      'Decoding the ids of prompt and completion gives the text of the row, and the example carries the row’s texts and columns',
    formula: 'decode(encode(s)) = s',
    source: 'trl#2054, trl#1640, axolotl#1616: what is trained on is not what was written',
    cost: 3,
    arbitrary: cases(subject),
    show,
    holds: (given) =>
      eachExample(subject, given, (example, { prompt, completions }, tokenizer) => {
        const plain = (text: string): string => tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: true })
        const sequences = completions.length === 0 ? [new Int32Array()] : example.completions
        require(example.completions.length ===
          completions.length, `${example.completions.length} completions for ${completions.length}`)
        sequences.forEach((ids, at) => {
          const found = tokenizer.decode(whole(example, ids), { skipSpecialTokens: true })
          const expected = plain(prompt + (completions[at] ?? ''))
          require(found ===
            expected, `the ids decode to ${JSON.stringify(found)}, the row says ${JSON.stringify(expected)}`)
        })
        require(example.text.prompt === prompt, `the example’s prompt is ${JSON.stringify(example.text.prompt)}`)
        completions.forEach((completion, at) => {
          const found = example.text.completions[at]
          require(found ===
            completion, `the example’s completion is ${JSON.stringify(found)}, the row says ${JSON.stringify(completion)}`)
        })
        const { number } = given.rows[example.index]
        require(example.columns.number ===
          number, `column number is ${String(example.columns.number)}, the row says ${String(number)}`)
      }),
  })
}

const sharedLength = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1
  return at
}

function promptIsPrefix(subject: DataSubject): Law {
  return law({
    name: 'data/prompt-is-a-prefix',
    statement:
      'The prompt’s ids begin those that a sampler would be given, and reach as far as every completion agrees with them',
    formula: 'prompt ⊑ encode(x), |prompt| ≥ min_y |encode(x) ⊓ encode(x + y)|',
    source:
      'trl#2054, trl#1153, unsloth-zoo#1110: tokens that merge across the border; trl#1640: a sampler that sees another prompt',
    cost: 3,
    arbitrary: cases(subject),
    show,
    holds: (given) =>
      eachExample(subject, given, (example, { prompt, completions }, tokenizer) => {
        const encode = (text: string): Int32Array => tokenizer.encode(text, { beginning: true })
        const sampled = encode(prompt)
        const found = shownIds(example.prompt)
        require(sharedLength(example.prompt, sampled) ===
          example.prompt.length, `the prompt is ${found}, a sampler would be given ${shownIds(sampled)}`)
        const agreed = Math.min(...completions.map((completion) => sharedLength(sampled, encode(prompt + completion))))
        require(example.prompt.length >=
          agreed, `the prompt is cut to ${found}, though every completion agrees with ${shownIds(sampled.slice(0, agreed))}`)
      }),
  })
}

function endsOnce(subject: DataSubject): Law {
  return law({
    name: 'data/ends-once',
    statement: 'Every completion ends with the end-of-sequence token, and has it nowhere else',
    formula: 'y_T = EOS, y_t ≠ EOS for t < T, EOS ∉ x',
    source: 'trl#1623, trl#3091: models that never stop; OpenRLHF reward_dataset.py overwrites the last token by EOS',
    cost: 3,
    arbitrary: cases(subject),
    show,
    holds: (given) =>
      eachExample(subject, given, (example, _texts, tokenizer) => {
        const end = tokenizer.eosToken?.id
        if (end === undefined) return
        for (const ids of example.completions) {
          const sequence = whole(example, ids)
          const count = sequence.filter((id) => id === end).length
          require(ids.at(-1) === end, `the completion ${shownIds(ids)} does not end with the end token ${end}`)
          require(count === 1, `the end token ${end} is ${count} times in ${shownIds(sequence)}`)
        }
      }),
  })
}

function maskCoversCompletion(subject: DataSubject): Law {
  return law({
    name: 'data/mask-covers-the-completion',
    statement: 'All of the completion is trained on, its end token included, and nothing of the prompt is in it',
    formula: 'mask = 1 for every y_1 .. y_T; decode(y) is what the row says behind the prompt’s ids',
    source: 'trl#1623, trl#3091: the model never stops; alignment-handbook#116: the header on the wrong side',
    cost: 3,
    arbitrary: cases(subject),
    show,
    holds: (given) =>
      eachExample(subject, given, (example, { prompt, completions }, tokenizer) => {
        example.completions.forEach((ids, at) => {
          const mask = example.masks?.[at]
          if (mask !== undefined) {
            require(mask.length === ids.length, `a mask of ${mask.length} for ${ids.length} tokens`)
            require(mask.every((bit) => bit === 1), `the mask ${shownIds(mask)} leaves out tokens of ${shownIds(ids)}`)
          }
          // Everything behind the agreed prompt belongs to the completion, and nothing before it.
          const text = prompt + completions[at]
          const tokens = tokenizer.encode(text, { beginning: true }).length - example.prompt.length
          const least = Math.max(0, tokens) + (tokenizer.eosToken === undefined ? 0 : 1)
          require(ids.length >= least, `the completion has ${ids.length} tokens, ${least} are behind the prompt`)
        })
      }),
  })
}

function stepsHaveLabels(subject: DataSubject): Law {
  return law({
    name: 'data/labels-end-their-steps',
    statement:
      'Each step has its label at its last token and nowhere else; up to there stands what was written up to there',
    formula: 'labels = −100 … −100 l_1 −100 … l_k; decode(y_1 .. y_end(k)) = steps 1 to k with their separators',
    source: 'Lightman et al., arXiv 2305.20050; TRL’s PRMTrainer; packages/core/src/contracts/data-source.ts',
    cost: 3,
    arbitrary: cases(subject),
    show,
    holds: (given) =>
      eachExample(subject, given, (example, _texts, tokenizer) => {
        const steps = stepsOf(given.rows[example.index])
        const [ids] = example.completions
        const labels = example.labels?.[0]
        require(labels !== undefined &&
          labels.length === ids.length, `${labels?.length} labels for ${ids.length} tokens`)
        if (labels === undefined) return
        const ends = Array.from(labels.keys()).filter((token) => labels[token] !== -100)
        const [found, expected] = [ends.map((end) => labels[end]), steps.map(({ label }) => label)]
        require(shownIds(found) === shownIds(expected), `the labels are ${shownIds(found)} of ${shownIds(expected)}`)
        require(ends.at(-1) === ids.length - 1, `the last step ends at ${ends.at(-1)} of ${ids.length} tokens`)
        const plain = (text: string): string => tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: true })
        ends.forEach((end, at) => {
          const written = tokenizer.decode(ids.slice(0, end + 1), { skipSpecialTokens: true })
          const wanted = plain(
            steps
              .slice(0, at + 1)
              .map(({ text }) => text)
              .join(''),
          )
          require(written ===
            wanted, `up to step ${at + 1} stands ${JSON.stringify(written)}, not ${JSON.stringify(wanted)}`)
        })
      }),
  })
}

function padDoesNotMatter(subject: DataSubject): Law {
  return law({
    name: 'data/pad-does-not-matter',
    statement: 'Ids and masks are the same whichever token pads, also where it is the end token',
    formula: 'tokenise(row; pad = EOS) = tokenise(row; pad ≠ EOS) = tokenise(row; no pad)',
    source: 'trl#1623, alignment-handbook#127, trl#6357: pad = EOS takes EOS out of the loss',
    cost: 5,
    arbitrary: cases(subject),
    show,
    holds: async ({ rows, with: { files } }) => {
      const { pad_token: _, ...config } = files.config
      const tokenizer = createTokenizer(files)
      const pads = [{ pad_token: tokenizer.eosToken?.text ?? null }, { pad_token: BEGINNING }, {}]
      const read = (more: object): Promise<string> =>
        opened(subject, rows, { tokenizer: { ...files, config: { ...config, ...more } } }, ({ train }) =>
          train
            .map(({ prompt, completions, masks = [], labels = [] }) =>
              [prompt, ...completions, ...masks, ...labels].map(shownIds).join(' '),
            )
            .join('\n'),
        )
      const [end, other, none] = await Promise.all(pads.map(read))
      require(end === other, `padding with the end token gives\n${end}\nand with another token\n${other}`)
      require(end === none, `padding with the end token gives\n${end}\nand without a pad token\n${none}`)
    },
  })
}

function beginsOnce(subject: DataSubject): Law {
  const { rows, tokenizers } = subject
  return law({
    name: 'data/begins-once',
    statement:
      'A sequence has at most one beginning-of-sequence token, at its beginning, also where the text is written with one',
    formula: '|{t : s_t = BOS}| ≤ 1, and then s_1 = BOS; none where the tokenizer has none',
    source: 'axolotl#1616, trl#1591, sglang#888: double BOS; trl#1885, trl#1073: a null id inserted',
    cost: 3,
    arbitrary: fc.record({
      rows: fc.array(rows, { minLength: 1, maxLength: 3 }),
      with: fc.constantFrom(...tokenizers),
      written: fc.boolean(),
    }),
    show: ({ written, ...given }) => `${written ? 'written with the beginning token: ' : ''}${show(given)}`,
    holds: async ({ rows: given, with: named, written }) => {
      const { bosToken } = createTokenizer(named.files)
      const first = subject.type === 'language-modeling' ? 'text' : 'prompt'
      const begun = given.map((row) =>
        written && bosToken ? { ...row, [first]: bosToken.text + String(row[first]) } : row,
      )
      await eachExample(subject, { rows: begun, with: named }, (example) => {
        for (const ids of example.completions.length === 0 ? [new Int32Array()] : example.completions) {
          const sequence = whole(example, ids)
          require(sequence.every(
            (id) => Number.isInteger(id) && id >= 0,
          ), `an id is not a token: ${shownIds(sequence)}`)
          if (!bosToken) continue
          const places = Array.from(sequence.keys()).filter((at) => sequence[at] === bosToken.id)
          require(places.length <= 1 &&
            places.every(
              (at) => at === 0,
            ), `the beginning token ${bosToken.id} stands at ${places.join(' and ')} of ${shownIds(sequence)}`)
        }
      })
    },
  })
}
