import { uniform } from '@collimate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode } from './decode.js'
import type { Completion, DecodeRequest } from './decode.js'
import { simulatedSession } from './testing/simulated-session.js'
import type { Model, SimulatedSession } from './testing/simulated-session.js'

/** A model of whole numbers: the next token and its log-probability follow from everything that the row sees. */
const model: Model = (ids, drawn) => {
  let hash = 2166136261
  for (const id of [...ids, Math.floor(drawn * 2 ** 20)]) hash = Math.imul(hash ^ (id + 1), 16777619) >>> 0
  return { token: (hash >>> 8) % 50, logProb: -1 - (hash % 1000) / 1000 }
}

const CONTEXT = 120

const prompt = (lengths: fc.IntegerConstraints, allowances: fc.IntegerConstraints) =>
  fc.record({ length: fc.integer(lengths), content: fc.nat(3), allowance: fc.integer(allowances) })
const anyPrompt = prompt({ min: 1, max: 20 }, { min: 1, max: 100 })
const long = prompt({ min: 15, max: 20 }, { min: 60, max: 100 })
const short = prompt({ min: 1, max: 8 }, { min: 1, max: 12 })
const few = { minLength: 1, maxLength: 4 }
const many = { minLength: 1, maxLength: 40 }
const settings = fc.record({
  prompts: fc.oneof(
    fc.array(anyPrompt, many),
    fc.array(fc.oneof({ weight: 8, arbitrary: short }, { weight: 1, arbitrary: long }), many),
    // The longest prompts enter first.
    fc.tuple(fc.array(long, few), fc.array(short, { ...many, minLength: 30 })).map((parts) => parts.flat()),
  ),
  batchSize: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 12 })),
  firstColumns: fc.integer({ min: 1, max: 24 }),
  stepsPerMove: fc.integer({ min: 0, max: 16 }),
  // Of 50 tokens this many end a completion: from never to at once.
  stops: fc.constantFrom(0, 0, 0, 1, 5, 25, 50),
  greedy: fc.boolean(),
})

function requestOf({
  prompts,
  batchSize,
  firstColumns,
  stepsPerMove,
  stops,
  greedy,
}: typeof settings extends fc.Arbitrary<infer S> ? S : never): DecodeRequest {
  return {
    prompts: prompts.map(({ length, content }) => Int32Array.from({ length }, (_, at) => (at + content) % 50)),
    allowances: prompts.map(({ allowance }) => allowance),
    stopTokens: new Set(Array.from({ length: stops }, (_, token) => token)),
    batchSize,
    contextLength: CONTEXT,
    firstColumns,
    stepsPerMove,
    temperature: greedy ? 0 : 1,
    uniform: (prompt, index) => uniform(1, prompt, index),
  }
}

/** The completion of one prompt, without a cache. */
function alone(
  { prompts, allowances, stopTokens, temperature, uniform: drawn }: DecodeRequest,
  prompt: number,
): Completion {
  const tokens: number[] = []
  const logProbs: number[] = []
  for (;;) {
    const number = temperature === 0 ? 0 : Math.fround(drawn(prompt, tokens.length))
    const { token, logProb } = model([...prompts[prompt], ...tokens], number)
    tokens.push(token)
    logProbs.push(logProb)
    if (stopTokens.has(token)) return { tokens, logProbs, endedBy: 'stop' }
    if (tokens.length === allowances[prompt]) return { tokens, logProbs, endedBy: 'length' }
  }
}

const withoutRow = ({ tokens, logProbs, endedBy }: Completion): Completion => ({ tokens, logProbs, endedBy })

describe('decode', () => {
  test('gives what each prompt alone gives, whatever rows, columns and the others are', async () => {
    const paths = { smaller: 0, larger: 0, kept: 0, shared: 0, again: 0 }
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const request = requestOf(setting)
        const { session, completions } = await decoded(request)
        expect(completions.map(withoutRow)).toEqual(request.prompts.map((_, prompt) => alone(request, prompt)))
        session.runs.forEach(({ kind, size, entry }, at) => {
          if (kind === 'move') paths[size.capacity < session.runs[at - 1].size.capacity ? 'smaller' : 'larger']++
          if (entry?.into === 'some') paths.kept++
          if (entry && entry.prompts < entry.entering) paths.shared++
          if (entry && entry.width > 24) paths.again++
        })
      }),
      { numRuns: 150 },
    )
    // The cases have led through all of it.
    for (const [path, times] of Object.entries(paths)) expect([path, times > 5]).toEqual([path, true])
  })

  test('nothing to complete needs no cache', async () => {
    const { session, completions } = await decoded(requestWith([]))
    expect(completions).toEqual([])
    expect(session.runs).toEqual([])
  })

  test('a ring that is large enough wraps, without a move', async () => {
    const { runs } = await lengthsThrough(2, new Array<number>(20).fill(12), { firstColumns: 15 })
    expect(new Set(runs.map(({ size }) => size.capacity))).toEqual(new Set([16]))
    expect(count(runs, 'step')).toBeGreaterThan(16)
    expect(count(runs, 'move')).toBe(0)
  })

  test('where most completions are long the cache grows, while others wait', async () => {
    const { runs } = await lengthsThrough(2, new Array<number>(6).fill(60), { firstColumns: 8 })
    const larger = runs.findIndex(({ kind }) => kind === 'move')
    expect(runs[larger].size.rows).toBe(2)
    expect(runs.slice(larger).some(({ kind }) => kind === 'enter')).toBe(true)
    expect(Math.max(...runs.map(({ size }) => size.capacity))).toBeGreaterThanOrEqual(60)
  })

  test('a few long completions are read again at the end instead', async () => {
    const { runs } = await lengthsThrough(2, [99, ...new Array<number>(80).fill(6)], { firstColumns: 16 })
    const last = runs.map(({ kind }) => kind).lastIndexOf('enter')
    expect(runs[last].entry).toMatchObject({ entering: 1, into: 'own' })
    expect(runs[last].entry?.width).toBeGreaterThan(16)
    expect(Math.max(...runs.slice(0, last - 1).map(({ size }) => size.capacity))).toBe(24)
  })

  test('so many are not read again that it would cost more than it spares', async () => {
    const lengths = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 40 : 1))
    const { runs } = await lengthsThrough(2, lengths, { firstColumns: 15 })
    const readAgain = runs.findIndex(({ entry }) => entry !== undefined && entry.width > 8)
    const larger = runs.findIndex(({ size }) => size.capacity > 16)
    expect(larger).toBeLessThan(readAgain)
    expect(runs[larger].kind).toBe('move')
  })

  test('once the long rows have ended, those who follow get a smaller cache', async () => {
    const { runs } = await lengthsThrough(2, [99, 99, ...new Array<number>(80).fill(6)], { firstColumns: 8 })
    const sizes = runs.map(({ size }) => size.capacity)
    expect(Math.max(...sizes)).toBeGreaterThanOrEqual(99)
    expect(sizes.at(-1)).toBeLessThanOrEqual(24)
  })

  test('when nothing waits, the rows that live go on in fewer', async () => {
    const { runs } = await lengthsThrough(16, [90, ...new Array<number>(15).fill(3)], { firstColumns: 128 })
    expect(runs.at(-1)?.size.rows).toBe(1)
    expect(count(runs, 'move')).toBe(1)
  })

  test('completions of equal length go batch after batch, each read in one piece', async () => {
    const { runs } = await lengthsThrough(8, new Array<number>(24).fill(10), {})
    expect(count(runs, 'clear')).toBe(1)
    expect(runs.flatMap(({ entry }) => (entry ? [entry.into] : []))).toEqual(['own', 'own', 'own'])
    expect(count(runs, 'step')).toBe(3 * 9)
  })

  test.each([
    [8, 20],
    [16, 10],
    [32, 20],
  ])('through %i rows, uneven lengths of mean %i take fewer steps than batch after batch', async (batchSize, mean) => {
    const lengths = geometric(16 * batchSize, mean)
    const { runs } = await lengthsThrough(batchSize, lengths, {})
    const batches = Array.from({ length: 16 }, (_, at) => lengths.slice(at * batchSize, (at + 1) * batchSize))
    const inBatches = sum(batches.map((batch) => Math.max(...batch) - 1))
    expect(count(runs, 'step')).toBeLessThan(0.5 * inBatches)
    // Entering has its price too, and so have rows that are free until then: together at most what the tokens need.
    const needed = (sum(lengths) - lengths.length) / batchSize
    expect(count(runs, 'step') + 1.5 * count(runs, 'enter')).toBeLessThan(2 * needed)
  })

  test('equal prompts are read once', async () => {
    const prompts = [3, 4, 5, 6].flatMap((token) => new Array<Int32Array>(8).fill(Int32Array.of(token, 7)))
    const { session } = await decoded({ ...requestWith(prompts), batchSize: 32 })
    expect(session.runs[1].entry).toMatchObject({ entering: 32, prompts: 4, into: 'all' })
  })

  test('a completion may end with its first token', async () => {
    const prompts = Array.from({ length: 9 }, (_, token) => Int32Array.of(token))
    const stopTokens = new Set(Array.from({ length: 50 }, (_, token) => token))
    const { session, completions } = await decoded({ ...requestWith(prompts), stopTokens, batchSize: 4 })
    expect(completions.map(({ tokens, endedBy }) => [tokens.length, endedBy])).toEqual(prompts.map(() => [1, 'stop']))
    expect(count(session.runs, 'step')).toBe(0)
    expect(count(session.runs, 'enter')).toBe(3)
  })

  test('a log-probability that is no number is an error, and says of which completion', async () => {
    const prompts = [Int32Array.of(1), Int32Array.of(2)]
    const broken: Model = (ids, drawn) => ({ ...model(ids, drawn), logProb: ids[0] === 2 && ids.length > 3 ? NaN : -1 })
    await expect(decoded(requestWith(prompts), broken)).rejects.toMatchObject({
      code: 'COLLIMATE_NOT_FINITE',
      message: expect.stringMatching(/token 3 of completion 1/) as string,
    })
  })
})

async function decoded(request: DecodeRequest, by = model) {
  const session = simulatedSession(by, CONTEXT)
  return { session, completions: await decode(session, request) }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const count = (runs: SimulatedSession['runs'], kind: string): number => runs.filter((run) => run.kind === kind).length

/** Lengths from 1 on whose mean is about `mean`. */
const geometric = (size: number, mean: number): number[] =>
  Array.from({ length: size }, (_, at) =>
    Math.min(100, 1 + Math.floor(Math.log(1 - uniform(5, at, 0)) / Math.log(1 - 1 / mean))),
  )

function requestWith(prompts: readonly Int32Array[]): DecodeRequest {
  return {
    prompts,
    allowances: prompts.map(() => 10),
    stopTokens: new Set(),
    batchSize: 8,
    contextLength: CONTEXT,
    firstColumns: 128,
    stepsPerMove: 32,
    temperature: 0,
    uniform: () => 0,
  }
}

/** Decodes completions of the given lengths, after prompts of one token. */
async function lengthsThrough(batchSize: number, lengths: readonly number[], more: Partial<DecodeRequest>) {
  const request: DecodeRequest = {
    ...requestWith(lengths.map((_, at) => Int32Array.of(at))),
    allowances: lengths.map(() => 100),
    stopTokens: new Set([1]),
    batchSize,
    ...more,
  }
  const { session, completions } = await decoded(request, (ids) => ({
    token: ids.length >= lengths[ids[0]] ? 1 : 0,
    logProb: -1,
  }))
  expect(completions.map(({ tokens }) => tokens.length)).toEqual(lengths)
  return session
}
