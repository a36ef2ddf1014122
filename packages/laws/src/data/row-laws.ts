import type { Example, Truncation } from '@collimate/core'
import fc from 'fast-check'
import { law, type Law, require, Violation } from '../law.js'
import { codeOf, refused } from '../refused.js'
import { type DataSubject, isIdentical, opened, type Row, shownIds, shownRows } from './rows.js'

const contract = 'packages/core/src/contracts/data-source.ts'

/** Laws of which rows are there, how they are cut, and how they are read. */
export function rowLaws(subject: DataSubject): Law[] {
  return [
    ...(subject.type === 'preference' ? [identicalDropped(subject)] : []),
    lengths(subject),
    inOrder(subject),
    fingerprints(subject),
    split(subject),
    packs(subject) ? packing(subject) : noPacking(subject),
    badRows(subject),
    outside(subject),
  ]
}

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, n) => sum + n, 0)
const lists = ({ prompt, completions }: Example): string => [prompt, ...completions].map(shownIds).join(' ')

function identicalDropped(subject: DataSubject): Law {
  const { rows, tokenizers } = subject
  return law({
    name: 'data/identical-pairs-are-dropped',
    statement:
      'A pair whose chosen and rejected are the same is left out and counted; every other pair is there, in its order',
    formula: 'examples = {rows : chosen ≠ rejected}, dropped.identical = number of the others',
    source: 'rlhf-book#504: chosen = rejected gives no gradient',
    cost: 3,
    arbitrary: fc
      .array(fc.tuple(rows, fc.boolean()), { minLength: 1, maxLength: 5 })
      .map((list) => list.map(([row, same]) => (same ? { ...row, rejected: row.chosen } : row))),
    show: shownRows,
    holds: (given) =>
      opened(subject, given, { tokenizer: tokenizers[0].files }, ({ train, dropped }) => {
        const kept = given.flatMap((row, i) => (isIdentical(row, subject.type) ? [] : [i]))
        const found = train.map(({ index }) => index)
        require(found.join() ===
          kept.join(), `rows ${found.join(', ') || 'none'} are there, the law says ${kept.join(', ') || 'none'}`)
        if (kept.length === 0) return
        const count = given.length - kept.length
        require((dropped.identical ?? 0) ===
          count, `${dropped.identical ?? 0} are counted as identical, the law says ${count}`)
        require(total(dropped) === count, `${JSON.stringify(dropped)} are dropped, the law says ${count} identical`)
      }),
  })
}

/** Whether `part` is what `all` begins with (or ends with). */
const isEnd = (all: readonly number[], part: readonly number[], side: Truncation): boolean => {
  const offset = side === 'keep_end' ? all.length - part.length : 0
  return offset >= 0 && part.every((id, at) => id === all[offset + at])
}

function lengths(subject: DataSubject): Law {
  const { rows, tokenizers, type } = subject
  return law({
    name: 'data/lengths',
    statement:
      'No sequence is longer than the maximum; what is cut keeps its beginning or its end as asked, shares one prompt, and is dropped and counted where it is asked for or nothing is left to train on',
    formula:
      '|x| + |y| ≤ max; keep_start: a prefix of x + y, keep_end: a suffix; drop: not at all; rows that fit stay whole; kept + dropped = rows',
    source: 'trl#6321, trl#5826: emptied completions; trl#6548, trl#6588, trl#2209: negative slices',
    cost: 4,
    arbitrary: fc.record({
      rows: fc.array(rows, { minLength: 1, maxLength: 4 }),
      with: fc.constantFrom(...tokenizers),
      maxLength: fc.integer({ min: 2, max: 24 }),
      truncation: fc.constantFrom<Truncation>('keep_start', 'keep_end', 'drop'),
    }),
    show: ({ rows: given, maxLength, truncation }) => `${truncation} of ${maxLength} tokens: ${shownRows(given)}`,
    holds: async ({ rows: given, with: { files: tokenizer }, maxLength, truncation }) => {
      const full = await opened(subject, given, { tokenizer }, ({ train, dropped }) => ({
        train,
        dropped: total(dropped),
      }))
      await opened(subject, given, { tokenizer, maxLength, truncation }, ({ train, dropped }) => {
        if (train.length > 0) {
          const count = train.length + total(dropped)
          require(count ===
            given.length, `${train.length} are there and ${total(dropped)} are dropped of ${given.length} rows`)
        }
        for (const before of full.train) {
          const after = train.find(({ index }) => index === before.index)
          const fits = before.prompt.length + Math.max(0, ...before.completions.map((ids) => ids.length)) <= maxLength
          if (after === undefined) {
            require(!fits, `row ${before.index} is dropped, and fits: ${lists(before)}`)
            continue
          }
          require(fits || truncation !== 'drop', `row ${before.index} is longer than ${maxLength}, and is kept`)
          if (fits)
            require(lists(after) ===
              lists(before), `row ${before.index} fits, and was ${lists(before)}, is ${lists(after)}`)
          kept(before, after)
        }
        for (const { index } of train) {
          require(full.train.some((one) => one.index === index), `row ${index} is there only when it is cut`)
        }
      })

      function kept(before: Example, after: Example): void {
        const completions = type === 'prompt-only' ? [new Int32Array()] : after.completions
        require(after.completions.length ===
          before.completions.length, `row ${after.index} has ${after.completions.length} completions`)
        completions.forEach((ids, at) => {
          const all = [...before.prompt, ...(before.completions[at] ?? [])]
          const part = [...after.prompt, ...ids]
          const what = `row ${after.index}, ${truncation} of ${maxLength}: ${shownIds(all)} became ${shownIds(part)}`
          require(part.length <= maxLength, `${what}, which is ${part.length} long`)
          require(part.length > 0 &&
            (type === 'prompt-only' || ids.length > 0), `${what}, which leaves nothing to train on`)
          require(isEnd(
            all,
            part,
            truncation,
          ), `${what}, which is not its ${truncation === 'keep_end' ? 'end' : 'beginning'}`)
          require((after.masks?.[at]?.length ?? ids.length) === ids.length, `${what}, with a mask of another length`)
        })
        const [first, second] = after.completions.map(shownIds)
        require(second === undefined ||
          first !== second, `row ${after.index} is kept though both completions are now ${first}`)
      }
    },
  })
}

function inOrder(subject: DataSubject): Law {
  const { rows, tokenizers } = subject
  return law({
    name: 'data/read-in-order',
    statement:
      'Reading gives the examples that were asked for, in that order, as often as they were asked for, and the same every time',
    formula: 'read([i, j, i]) = [e_i, e_j, e_i]; read twice = read once',
    source: contract,
    cost: 3,
    arbitrary: fc.record({
      rows: fc.array(rows, { minLength: 1, maxLength: 5 }),
      asked: fc.array(fc.nat(99), { maxLength: 8 }),
    }),
    show: ({ rows: given, asked }) => `examples ${asked.join(', ')} (modulo their number) of ${shownRows(given)}`,
    holds: ({ rows: given, asked }) =>
      opened(subject, given, { tokenizer: tokenizers[0].files }, async ({ source, train }) => {
        if (train.length === 0) return
        const indices = asked.map((number) => number % train.length)
        for (const time of ['at first', 'the second time']) {
          const found = (await source.read({ split: 'train', indices })).map((one) => `${one.index}: ${lists(one)}`)
          const expected = indices.map((i) => `${train[i].index}: ${lists(train[i])}`)
          require(found.length === expected.length &&
            found.every(
              (line, i) => line === expected[i],
            ), `${time}, reading ${indices.join(', ')} gives\n${found.join('\n')}\nand one by one\n${expected.join('\n')}`)
        }
      }),
  })
}

function fingerprints(subject: DataSubject): Law {
  const { rows, tokenizers } = subject
  return law({
    name: 'data/fingerprint',
    statement:
      'The fingerprint is the same exactly where the tokenised rows are: for the seed it does not matter, for any token it does',
    formula: 'fingerprint(A) = fingerprint(B) ⇔ tokens(A) = tokens(B)',
    source: 'trl#2423, trl#1139: stale cached log-probs of the reference',
    cost: 5,
    arbitrary: fc.record({
      rows: fc.array(rows, { minLength: 1, maxLength: 3 }),
      other: fc.array(rows, { minLength: 1, maxLength: 3 }),
      seed: fc.nat(99),
      maxLength: fc.option(fc.integer({ min: 2, max: 12 })),
    }),
    show: ({ rows: given, other, seed, maxLength }) =>
      `${shownRows(given)}\nagainst (seed ${seed}, at most ${maxLength ?? 'any number of'} tokens)\n${shownRows(other)}`,
    holds: async ({ rows: given, other, seed, maxLength }) => {
      const tokenizer = tokenizers[0].files
      const one = await opened(subject, given, { tokenizer }, (result) => result)
      const others = [
        await opened(subject, given, { tokenizer, seed }, (result) => result),
        await opened(subject, given, { tokenizer, maxLength }, (result) => result),
        await opened(subject, other, { tokenizer }, (result) => result),
        await opened(subject, given.toReversed(), { tokenizer }, (result) => result),
        await opened(subject, given.map(otherLabels), { tokenizer }, (result) => result),
      ]
      const tokens = ({ train }: typeof one): string =>
        train.map((example) => [lists(example), ...(example.labels ?? []).map(shownIds)].join(' ')).join('\n')
      for (const two of others) {
        if (one.train.length === 0 || two.train.length === 0) continue
        const [same, equal] = [tokens(one) === tokens(two), one.fingerprint === two.fingerprint]
        require(same ===
          equal, `the fingerprints are ${equal ? 'equal' : 'different'} and the tokens are ${same ? 'equal' : 'different'}:\n${tokens(one)}\nand\n${tokens(two)}`)
      }
    },
  })
}

/** A stepwise row with its labels turned around; any other as it is. */
const otherLabels = (row: Row): Row =>
  Array.isArray(row.labels) ? { ...row, labels: row.labels.map((label) => !label) } : row

function split(subject: DataSubject): Law {
  const { rows, tokenizers, type } = subject
  return law({
    name: 'data/split',
    statement:
      'A held-out part has the size that was asked for, shares no row with the rest, and depends on the seed alone',
    formula:
      'train ∪ evaluation = rows, train ∩ evaluation = ∅, split(seed) = split(seed) at any length, split(seed) varies',
    source: contract,
    capability: 'split',
    cost: 8,
    arbitrary: fc.record({
      rows: fc.array(rows, { minLength: 12, maxLength: 14 }),
      held: fc.integer({ min: 3, max: 8 }),
      seed: fc.nat(1e6),
    }),
    show: ({ rows: given, held, seed }) => `${held} held out of ${given.length} rows by seed ${seed}`,
    holds: async ({ rows: given, held, seed }) => {
      // Different rows, none of them dropped.
      const distinct = given.map((row, i) =>
        type === 'preference' ? { ...row, chosen: `a${i}`, rejected: `b${i}` } : row,
      )
      const tokenizer = tokenizers[0].files
      const read = (more: object) =>
        opened(subject, distinct, { tokenizer, seed, held, ...more }, ({ train, evaluation }) => ({
          train: train.map(({ index }) => index),
          evaluation: evaluation.map(({ index }) => index),
        }))
      const one = await read({})
      require(one.evaluation.length === held, `${one.evaluation.length} rows are held out, ${held} were asked for`)
      const both = [...one.train, ...one.evaluation].toSorted((a, b) => a - b)
      require(both.join() ===
        distinct.map((_, i) => i).join(), `both parts together are rows ${both.join(', ')} of ${distinct.length}`)
      const again = await read({})
      require(again.evaluation.join() ===
        one.evaluation.join(), `the same seed held out ${one.evaluation.join(', ')} and then ${again.evaluation.join(', ')}`)
      const others = await Promise.all([1, 2, 3, 4, 5].map((more) => read({ seed: seed + more })))
      require(others.some(
        ({ evaluation }) => evaluation.join() !== one.evaluation.join(),
      ), `six seeds held out the same rows: ${one.evaluation.join(', ')}`)
      const cut = await read({ maxLength: 1000, truncation: 'keep_end' })
      require(cut.evaluation.join() === one.evaluation.join(), 'another maximal length holds out other rows')
    },
  })
}

/** Whether a type has one completion a row, which is what packing is for. */
const packs = ({ type }: DataSubject): boolean => type === 'language-modeling' || type === 'prompt-completion'

function noPacking(subject: DataSubject): Law {
  const { rows, tokenizers, type } = subject
  return law({
    name: 'data/packing',
    statement: `Packing of ${type} data, whose rows have not one completion each, is refused`,
    formula: 'packing: COLLIMATE_PACKING_UNSUPPORTED',
    source: contract,
    capability: 'packing',
    cost: 8,
    arbitrary: fc.array(rows, { minLength: 1, maxLength: 3 }),
    show: shownRows,
    holds: async (given) => {
      const request = { tokenizer: tokenizers[0].files, maxLength: 64, packing: 'bfd' as const }
      const open = () => opened(subject, given, request, () => undefined)
      await refused('packing', open, 'COLLIMATE_PACKING_UNSUPPORTED')
    },
  })
}

function packing(subject: DataSubject): Law {
  const { rows, tokenizers } = subject
  return law({
    name: 'data/packing',
    statement:
      'Packing puts every document into exactly one example, whole, with its prompt masked, and no example is too long',
    formula: 'multiset of completions = multiset of documents; Σ |document| ≤ max in each example; prompt empty',
    source: 'Ding et al., arXiv 2404.10830 (best-fit decreasing)',
    capability: 'packing',
    cost: 4,
    arbitrary: fc.record({
      rows: fc.array(rows, { minLength: 1, maxLength: 8 }),
      maxLength: fc.integer({ min: 8, max: 40 }),
    }),
    show: ({ rows: given, maxLength }) => `packed into ${maxLength}: ${shownRows(given)}`,
    holds: async ({ rows: given, maxLength }) => {
      const request = { tokenizer: tokenizers[0].files, maxLength }
      const documents = await opened(subject, given, request, ({ train }) =>
        train.map(({ prompt, completions: [ids], masks }) => {
          const mask = [
            ...new Array<number>(prompt.length).fill(0),
            ...(masks?.[0] ?? new Uint8Array(ids.length).fill(1)),
          ]
          return `${shownIds([...prompt, ...ids])} ${shownIds(mask)}`
        }),
      )
      await opened(subject, given, { ...request, packing: 'bfd' }, ({ train }) => {
        for (const { prompt, completions } of train) {
          const sum = completions.reduce((count, ids) => count + ids.length, 0)
          require(prompt.length === 0, `a pack has a prompt: ${shownIds(prompt)}`)
          require(sum <= maxLength, `a pack of ${sum} tokens, at most ${maxLength} were asked for`)
        }
        const packed = train.flatMap(({ completions, masks }) =>
          completions.map(
            (ids, at) => `${shownIds(ids)} ${shownIds(masks?.[at] ?? new Uint8Array(ids.length).fill(1))}`,
          ),
        )
        const [found, expected] = [packed.toSorted().join('\n'), documents.toSorted().join('\n')]
        require(found === expected, `the documents with their masks are\n${expected}\nand in the packs\n${found}`)
      })
    },
  })
}

const needed = {
  'language-modeling': 'text',
  'prompt-only': 'prompt',
  'prompt-completion': 'completion',
  preference: 'rejected',
  stepwise: 'labels',
} as const

function badRows(subject: DataSubject): Law {
  const { rows, tokenizers, type } = subject
  const column = needed[type]
  return law({
    name: 'data/bad-rows-are-named',
    statement: `A row without ${column}, or with a number in its place, is refused with the name of the field`,
    formula: `row.${column} missing or 7: COLLIMATE_..., message names ${column}`,
    source: `${contract}: errors name file, line and field`,
    cost: 5,
    arbitrary: fc.record({
      before: fc.array(rows, { maxLength: 2 }),
      bad: rows,
      value: fc.constantFrom(undefined, 7, null, ['x', 3]),
    }),
    show: ({ before, bad, value }) => `row ${before.length} of ${shownRows([...before, { ...bad, [column]: value }])}`,
    holds: async ({ before, bad, value }) => {
      const { [column]: _, ...rest } = bad
      const row = value === undefined ? rest : { ...rest, [column]: value }
      const open = opened(subject, [...before, row], { tokenizer: tokenizers[0].files }, () => undefined)
      const error: unknown = await open.then(
        () => new Violation('the rows are accepted'),
        (caught: unknown) => caught,
      )
      if (error instanceof Violation) throw error
      const text = error instanceof Error ? error.message : String(error)
      require(codeOf(error)?.startsWith('COLLIMATE_') === true, `the rows are refused without a code: ${text}`)
      require(text.includes(column), `the error does not name the field ${column}: ${text}`)
    },
  })
}

function outside(subject: DataSubject): Law {
  const { rows, tokenizers } = subject
  return law({
    name: 'data/outside-is-refused',
    statement:
      'Reading before it is opened, after it is closed, or beyond its end is refused with a code; closing twice is harmless',
    formula: 'read before open or after close: COLLIMATE_DATA_NOT_OPEN; read([−1]), read([n]): COLLIMATE_DATA_RANGE',
    source: contract,
    cost: 5,
    arbitrary: fc.array(rows, { minLength: 1, maxLength: 3 }),
    show: shownRows,
    holds: async (given) => {
      const first = { split: 'train' as const, indices: [0] }
      const closed = await subject.create(given, 0)
      await refused('reading before it is opened', () => closed.read(first), 'COLLIMATE_DATA_NOT_OPEN')
      await closed.close()
      const source = await opened(subject, given, { tokenizer: tokenizers[0].files }, async (one) => {
        if (one.train.length === 0) return one.source
        for (const index of [-1, one.train.length, 0.5]) {
          const read = () => one.source.read({ split: 'train', indices: [0, index] })
          await refused(`reading example ${index} of ${one.train.length}`, read, 'COLLIMATE_DATA_RANGE')
        }
        return one.source
      })
      await source.close()
      await refused('reading after it is closed', () => source.read(first), 'COLLIMATE_DATA_NOT_OPEN')
    },
  })
}
