import type { Example, ForestBatch } from '@collimate/core'
import { forestBatch, type Layout, microBatches, scoredTokens, sumBySequence } from '@collimate/data'
import fc, { type Arbitrary } from 'fast-check'
import { law, type Law, near, require } from '../law.js'
import { type LawSuite, suiteOf } from '../suite.js'
import { shownIds } from './rows.js'

/** The functions that lay examples out as batches. */
export interface Forests {
  readonly forestBatch: typeof forestBatch
  readonly microBatches: typeof microBatches
  readonly sumBySequence: typeof sumBySequence
}

/** What the layouts of batches must fulfil; the default subject is `@collimate/data` itself. */
export function lawsOfForests({ name = 'forests', ...given }: Partial<Forests> & { name?: string } = {}): LawSuite {
  const forests: Forests = { forestBatch, microBatches, sumBySequence, ...given }
  return suiteOf({
    contract: 'data',
    subject: name,
    laws: [
      sameContexts(forests),
      ends(forests),
      marked(forests),
      rows(forests),
      divided(forests),
      inputs(forests),
      sums(forests),
    ],
  })
}

const source = 'packages/core/src/contracts/batch.ts: rows are forests'
const layouts: readonly Layout[] = ['shared', 'separate', 'packed']

const ids = (maxLength: number, minLength = 0): Arbitrary<Int32Array> =>
  fc.array(fc.integer({ min: 0, max: 99 }), { minLength, maxLength }).map((list) => Int32Array.from(list))

/** Examples with up to three completions, some masked, some without a prompt; the id 0, with which rows are padded, occurs. */
const examplesWith = (shortest: number): Arbitrary<Example[]> =>
  fc.array(
    fc
      .record({
        index: fc.nat(99),
        prompt: ids(6),
        completions: fc.array(ids(5, shortest), { maxLength: 3 }),
        bits: fc.option(fc.array(fc.nat(1), { minLength: 5, maxLength: 5 })),
      })
      .map(({ bits, ...parts }) => ({
        ...parts,
        ...(bits && { masks: parts.completions.map((completion) => Uint8Array.from(completion, (_, at) => bits[at])) }),
        text: { prompt: '', completions: [] },
        columns: {},
      })),
    { minLength: 1, maxLength: 5 },
  )
const examples = examplesWith(1)

const shown = (list: readonly Example[]): string =>
  list
    .map(({ prompt, completions, masks }) =>
      [
        shownIds(prompt),
        ...completions.map((one, at) => `→ ${shownIds(one)}${masks ? ` mask ${shownIds(masks[at])}` : ''}`),
      ].join(' '),
    )
    .join(' | ')

/** What a token sees, itself the last: `position:id` of each. */
function seenFrom(batch: ForestBatch, at: number): string[] {
  const row = Math.floor(at / batch.width) * batch.width
  const seen: string[] = []
  for (let other = row; other <= at; other++) {
    const segment = batch.segments[other]
    if (segment !== -1 && (segment === batch.segments[at] || segment === batch.prompts[at]))
      seen.push(`${batch.positions[other]}:${batch.tokens[other]}`)
  }
  return seen
}

/** What a scored token is computed from: sequence, target, and all tokens that its source sees, with their positions. */
function contexts(batch: ForestBatch): string[] {
  return Array.from(batch.sources.entries())
    .filter(([token]) => batch.tokenMask[token] === 1)
    .map(([token, at]) => {
      const seen = seenFrom(batch, at)
      return `sequence ${batch.sequences[token]}: ${batch.targets[token]} after ${seen.join(' ') || 'nothing'}`
    })
}

/** The same from the examples alone: each scored token after the whole sequence before it. */
function expectedContexts(list: readonly Example[]): string[] {
  let sequence = -1
  return list.flatMap((example) =>
    example.completions.flatMap((completion, at) => {
      sequence += 1
      const whole = [...example.prompt, ...completion]
      return scoredByMask(example, at).map((token) => {
        const before = whole.slice(0, example.prompt.length + token)
        return `sequence ${sequence}: ${completion[token]} after ${before.map((id, position) => `${position}:${id}`).join(' ')}`
      })
    }),
  )
}

/** Tokens of a completion that its mask selects and that have a token before them. */
function scoredByMask({ prompt, completions, masks }: Example, at: number): number[] {
  return Array.from(completions[at].keys()).filter(
    (token) => (masks === undefined || masks[at][token] === 1) && (prompt.length > 0 || token > 0),
  )
}

function sameContexts({ forestBatch: make }: Forests): Law {
  return law({
    name: 'data/layouts-score-the-same',
    statement:
      'Shared, separate and packed rows score the same tokens of the same sequences, each after the whole sequence before it',
    formula: 'scored(shared) = scored(separate) = scored(packed) = {(n, y_t, x y_<t) : mask_t = 1}',
    source: `${source}; verl#3287, minimind#621: off by one; ms-swift#3069: ragged batches`,
    arbitrary: fc.record({ list: examples, width: fc.nat(24), bucket: fc.boolean() }),
    show: ({ list, width, bucket }) => `${shown(list)}; width at least ${width}${bucket ? ', rounded up' : ''}`,
    holds: ({ list, width, bucket }) => {
      const expected = expectedContexts(list)
      for (const layout of layouts) {
        const found = contexts(make(list, { layout, bucket, width }))
        expected.forEach((line, i) =>
          require(found[i] === line, `${layout}: ${found[i] ?? 'nothing'}; the law says ${line}`),
        )
        require(found.length ===
          expected.length, `${layout}: ${found.length} tokens are scored, the law says ${expected.length}`)
      }
    },
  })
}

function ends({ forestBatch: make, microBatches: divide }: Forests): Law {
  return law({
    name: 'data/ends-are-last-tokens',
    statement:
      'The end of a sequence is its last token, in every layout and micro-batch: the token that sees the whole of it, and nothing else',
    formula: 'tokens that ends[n] sees, itself the last = x_n y_n; 0 at padding and where x_n y_n is empty',
    source: `${source}; transformers#35352, reward-bench#137: rewards read at the wrong token`,
    arbitrary: fc.record({ list: examplesWith(0), width: fc.nat(24), microBatchSize: fc.integer({ min: 1, max: 4 }) }),
    show: ({ list, width, microBatchSize }) =>
      `${shown(list)}; width at least ${width}; micro-batches of ${microBatchSize}`,
    holds: ({ list, width, microBatchSize }) => {
      const check = (batch: ForestBatch, inside: readonly Example[], where: string): void => {
        const expected = inside.flatMap(({ prompt, completions }) => completions.map((ids) => [...prompt, ...ids]))
        require(batch.ends.length ===
          batch.sequenceCount, `${where}: ${batch.ends.length} ends for ${batch.sequenceCount} sequences`)
        batch.ends.forEach((end, n) => {
          const whole = expected[n] ?? []
          if (whole.length === 0) require(end === 0, `${where}: sequence ${n} has no token and ends at ${end}`)
          else {
            const found = seenFrom(batch, end).join(' ')
            const wanted = whole.map((id, position) => `${position}:${id}`).join(' ')
            require(found ===
              wanted, `${where}: sequence ${n} ends at ${end}, which sees ${found || 'nothing'}; the law says ${wanted}`)
          }
        })
      }
      for (const layout of layouts) {
        check(make(list, { layout, width }), list, layout)
        const { batches, order } = divide(list, { layout, width, microBatchSize })
        batches.forEach((batch, number) =>
          check(
            batch,
            order[number].map((position) => list[position]),
            `${layout}, micro-batch ${number}`,
          ),
        )
      }
    },
  })
}

function marked({ forestBatch: make }: Forests): Law {
  return law({
    name: 'data/padding-is-marked',
    statement:
      'What is padding follows from lengths alone: it is marked, nothing real is, and no real token refers to it',
    formula: 'segment = −1 ⇔ padding; Σ tokenMask = scored tokens; tokenCount = tokens that are not padding',
    source: `${source}; trl#1623, verl#3805: masks come from lengths, never from what a token is`,
    arbitrary: fc.record({ list: examples, width: fc.nat(24) }),
    show: ({ list, width }) => `${shown(list)}; width at least ${width}`,
    holds: ({ list, width }) => {
      const scored = list.flatMap((example) => example.completions.map((_, at) => scoredByMask(example, at).length))
      const sizes = list.map(({ prompt, completions }) => [prompt.length, ...completions.map(({ length }) => length)])
      for (const layout of layouts) {
        const batch = make(list, { layout, width })
        const cells = batch.rows * batch.width
        for (const name of ['tokens', 'positions', 'segments', 'prompts'] as const)
          require(batch[name].length === cells, `${layout}: ${batch[name].length} ${name} for ${cells} places`)
        const real = batch.segments.filter((segment) => segment !== -1).length
        const repeated = layout === 'separate' ? 1 : 0
        const expected = sizes.reduce(
          (sum, [prompt, ...rest]) =>
            sum +
            prompt * (repeated ? Math.max(1, rest.length) : 1) +
            rest.reduce((total, length) => total + length, 0),
          0,
        )
        require(real === expected, `${layout}: ${real} places are real, the law says ${expected}`)
        require(batch.tokenCount === expected, `${layout}: tokenCount is ${batch.tokenCount}, the law says ${expected}`)
        for (let at = 0; at < cells; at++) {
          if (batch.segments[at] !== -1) continue
          const { [at]: token } = batch.tokens
          require(token === 0 &&
            batch.prompts[at] === -1, `${layout}: padding at ${at} holds token ${token} of prompt ${batch.prompts[at]}`)
        }
        const count = batch.tokenMask.reduce((sum, bit) => sum + bit, 0)
        const all = scored.reduce((sum, one) => sum + one, 0)
        require(count === all, `${layout}: the mask selects ${count} tokens, the law says ${all}`)
        const sequences = batch.sequenceMask.reduce((sum, bit) => sum + bit, 0)
        require(sequences === scored.length &&
          batch.sequenceCount >= sequences, `${layout}: ${sequences} sequences for ${scored.length} completions`)
        batch.sources.forEach((at, token) => {
          if (batch.tokenMask[token] === 1)
            require(batch.segments[at] !== -1, `${layout}: scored token ${token} is read at padding`)
        })
      }
    },
  })
}

function rows({ forestBatch: make }: Forests): Law {
  return law({
    name: 'data/rows-of-layouts',
    statement:
      'Shared rows are examples, separate rows completions, and packed rows never more than examples nor wider than asked',
    formula: 'rows(shared) = n, rows(separate) = Σ max(1, k), rows(packed) ≤ n',
    source,
    arbitrary: examples,
    show: shown,
    holds: (list) => {
      const found = layouts.map((layout) => make(list, { layout }).rows)
      const separate = list.reduce((sum, { completions }) => sum + Math.max(1, completions.length), 0)
      require(found[0] === list.length, `${found[0]} shared rows for ${list.length} examples`)
      require(found[1] === separate, `${found[1]} separate rows, the law says ${separate}`)
      require(found[2] <= list.length, `${found[2]} packed rows for ${list.length} examples`)
    },
  })
}

function divided({ forestBatch: make, microBatches: divide }: Forests): Law {
  return law({
    name: 'data/micro-batches-divide',
    statement: 'Micro-batches hold every example exactly once and whole, and score together what one batch scores',
    formula: '⋃ batches = examples; the multiset of scored (target, context) is that of the whole batch',
    source: 'tinker-cookbook#637: an odd batch breaks pairs; trl#2617',
    arbitrary: fc.record({
      list: examples,
      microBatchSize: fc.integer({ min: 1, max: 4 }),
      sortByLength: fc.boolean(),
    }),
    show: ({ list, microBatchSize, sortByLength }) =>
      `${shown(list)}; micro-batches of ${microBatchSize}${sortByLength ? ', sorted by length' : ''}`,
    holds: ({ list, microBatchSize, sortByLength }) => {
      const { batches, order } = divide(list, { microBatchSize, sortByLength })
      const positions = order.flat().toSorted((a, b) => a - b)
      require(positions.join() ===
        list.map((_, at) => at).join(), `the batches hold examples ${positions.join(', ')} of ${list.length}`)
      const bare = (batch: ForestBatch): string[] => contexts(batch).map((line) => line.replace(/^sequence \d+: /, ''))
      const [found, expected] = [batches.flatMap(bare).toSorted(), bare(make(list)).toSorted()]
      require(found.join('\n') ===
        expected.join(
          '\n',
        ), `the micro-batches score\n${found.join('\n')}\nand the whole batch\n${expected.join('\n')}`)
    },
  })
}

function inputs({ microBatches: divide }: Forests): Law {
  return law({
    name: 'data/inputs-follow-their-units',
    statement:
      'Values of sequences, pairs and tokens stand at their sequence, pair and token, in any micro-batch; padding holds 0',
    formula: 'input[n] belongs to sequence n, input[i] to sequences 2i and 2i + 1, input[t] to scored token t',
    source,
    arbitrary: fc.record({ list: examples, microBatchSize: fc.integer({ min: 1, max: 4 }) }),
    show: ({ list, microBatchSize }) => `${shown(list)}; micro-batches of ${microBatchSize}`,
    holds: ({ list, microBatchSize }) => {
      const even = list.map((example): Example => {
        const count = example.completions.length - (example.completions.length % 2)
        const { masks } = example
        return {
          ...example,
          completions: example.completions.slice(0, count),
          ...(masks && { masks: masks.slice(0, count) }),
        }
      })
      const { batches, order } = divide(even, {
        microBatchSize,
        inputs: {
          sequence: {
            unit: 'sequences',
            values: ({ completions }, at) => completions.map((_, side) => 10 * at + side),
          },
          pair: { unit: 'pairs', values: ({ completions }, at) => new Array<number>(completions.length / 2).fill(at) },
          token: {
            unit: 'tokens',
            values: (one) =>
              one.completions.flatMap((completion, at) => scoredTokens(one, at).map((token) => completion[token])),
          },
        },
      })
      batches.forEach((batch, number) => {
        const inside = order[number].map((position) => ({ position, count: even[position].completions.length }))
        const sequences = inside.flatMap(({ position, count }) =>
          Array.from({ length: count }, (_, side) => 10 * position + side),
        )
        const pairs = inside.flatMap(({ position, count }) => new Array<number>(count / 2).fill(position))
        const same = (what: string, found: ArrayLike<number>, expected: ArrayLike<number>): void =>
          require(shownIds(found) ===
            shownIds(expected), `${what} of batch ${number}: ${shownIds(found)}, the law says ${shownIds(expected)}`)
        same('values of sequences', batch.inputs.sequence, sequences)
        same('values of pairs', batch.inputs.pair, pairs)
        same(
          'values of tokens',
          batch.inputs.token,
          batch.targets.map((target, token) => target * batch.tokenMask[token]),
        )
      })
    },
  })
}

function sums({ forestBatch: make, sumBySequence: sum }: Forests): Law {
  return law({
    name: 'data/sums-leave-padding-out',
    statement:
      'Sums by sequence add exactly the scored tokens of each sequence, whatever padding holds, NaN and infinity included',
    formula: 'S_n = Σ_{t : sequence t = n, mask_t = 1} v_t',
    source: 'OpenRLHF#1240, verl#6361: NaN · 0 = NaN through masked slots',
    arbitrary: fc.record({ list: examples, content: fc.constantFrom(Number.NaN, Infinity, -1e30, 7) }),
    show: ({ list, content }) => `${shown(list)}; padding holds ${content}`,
    holds: ({ list, content }) => {
      const batch = make(list)
      const values = Float32Array.from(batch.targets, (_, token) =>
        batch.tokenMask[token] === 1 ? token + 1 : content,
      )
      const expected = new Float64Array(batch.sequenceCount)
      let token = 0
      let sequence = 0
      for (const example of list)
        example.completions.forEach((_, at) => {
          for (const _token of scoredByMask(example, at)) expected[sequence] += ++token
          sequence += 1
        })
      const found = sum(batch, values)
      require(found.length === expected.length, `${found.length} sums for ${expected.length} sequences`)
      expected.forEach((value, n) => near(found[n], value, 1e-12, `the sum of sequence ${n}`))
    },
  })
}
