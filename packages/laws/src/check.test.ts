import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkLaw, checkSuite } from './check.js'
import { law, near, require as demand } from './law.js'
import { suiteOf } from './suite.js'

/** Wrong wherever two rewards differ by more than 2: shrinks to a gap of 3. */
const narrow = law({
  name: 'bradley-terry/narrow',
  statement: 'Rewards differ by at most two.',
  formula: '|r_w − r_l| ≤ 2',
  source: 'nobody',
  arbitrary: fc.record({ chosen: fc.nat(100), rejected: fc.nat(100), beta: fc.constant(0.1) }),
  holds: ({ chosen, rejected }) =>
    near(Math.min(2, Math.abs(chosen - rejected)), Math.abs(chosen - rejected), 0, 'gap'),
})

const sound = law({
  name: 'bradley-terry/sound',
  statement: 'A square is not negative.',
  formula: 'x² ≥ 0',
  source: 'arithmetic',
  arbitrary: fc.double({ noNaN: true }),
  holds: (x) => demand(x * x >= 0, `the square of ${x}`),
})

describe('a law that does not hold', () => {
  test('fails with its sentence, the shrunken counterexample, what was found, and how to replay it', async () => {
    const { status, message, seed } = await checkLaw(narrow, { seed: 7 })
    expect(status).toBe('fails')
    expect(seed).toBe(7)
    const lines = message!.split('\n')
    expect(lines[0]).toBe('bradley-terry/narrow: Rewards differ by at most two.')
    expect(lines[1]).toBe('  formula         |r_w − r_l| ≤ 2')
    expect(lines[2]).toBe('  source          nobody')
    expect(lines[3]).toMatch(/^ {2}counterexample {2}\{ "chosen": (0|3), "rejected": (0|3), "beta": 0\.1 \}$/)
    expect(lines[4]).toBe('  found           gap is 2, the law says 3 (off by 1.00e+0)')
    expect(lines[5]).toMatch(/^ {2}replay {10}seed 7, path [\d:]+$/)
  })

  test('replays from seed and path: the shrunken case is the first that is tried', async () => {
    const first = await checkLaw(narrow)
    const path = /path ([\d:]+)/.exec(first.message!)![1]
    const tried: unknown[] = []
    const watched = { ...narrow, holds: (value: unknown) => (tried.push(value), narrow.holds(value)) }
    const again = await checkLaw(watched, { seed: first.seed, path })
    expect(again.message).toBe(first.message)
    expect(again.runs).toBe(1)
    expect(tried[0]).toMatchObject({ beta: 0.1 })
    expect(narrow.show(tried[0])).toBe(/counterexample {2}(.*)/.exec(first.message!)![1])
  })

  test('the same seed tries the same cases', async () => {
    const cases = async (): Promise<unknown[]> => {
      const tried: unknown[] = []
      await checkLaw({ ...sound, holds: (value) => void tried.push(value) }, { seed: 3, runs: 20 })
      return tried
    }
    expect(await cases()).toEqual(await cases())
  })

  test.each([
    ['throws anything', () => Promise.reject(new TypeError('not\na function')), /found {11}not\n {18}a function/],
    ['throws no error', () => Promise.reject('nothing'), /found {11}nothing/],
    ['says false', () => false as unknown as void, /the law says false/],
  ])('a law that %s fails', async (_, holds, found) => {
    expect((await checkLaw({ ...sound, holds: async () => holds() })).message).toMatch(found)
  })

  test('a law whose cases are all refused fails rather than holds', async () => {
    const { status, message } = await checkLaw({ ...sound, holds: () => fc.pre(false) })
    expect(status).toBe('fails')
    expect(message).toContain('none could be generated')
  })

  test('a case of nothing is a case', async () => {
    const nothing = law({
      ...sound,
      arbitrary: fc.constant(undefined),
      show: () => 'the one case',
      holds: () => demand(false, 'no'),
    })
    expect((await checkLaw(nothing)).message).toContain('counterexample  the one case')
  })
})

describe('a law that holds', () => {
  test('is tried as often as asked, divided by its cost, three times at least', async () => {
    expect(await checkLaw(sound)).toMatchObject({ status: 'holds', runs: 100, law: sound })
    expect(await checkLaw(sound, { runs: 40 })).toMatchObject({ runs: 40 })
    expect(await checkLaw({ ...sound, cost: 10 }, { runs: 40 })).toMatchObject({ runs: 4 })
    expect(await checkLaw({ ...sound, cost: 1000 }, { runs: 40 })).toMatchObject({ runs: 3 })
  })
})

describe('a check', () => {
  test('ends before its next case when it is told to', async () => {
    const stop = new AbortController()
    let cases = 0
    const onCase = (): void => {
      cases += 1
      if (cases === 5) stop.abort(new Error('enough'))
    }
    await expect(checkLaw(sound, { runs: 1e6, signal: stop.signal, onCase })).rejects.toThrow('enough')
    expect(cases).toBe(5)
  })

  test('lets timers through, also where cases do not wait', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('late')), 5)
    await expect(checkLaw(sound, { runs: 1e7, signal: stop.signal })).rejects.toThrow('late')
  })

  test('of a suite checks every law and frees what they share, also when it is stopped', async () => {
    let closed = 0
    const close = async (): Promise<void> => void (closed += 1)
    const suite = suiteOf({ contract: 'mathematics', subject: 'two', laws: [narrow, sound], close })
    expect((await checkSuite(suite)).map(({ status }) => status)).toEqual(['fails', 'holds'])
    await expect(checkSuite(suite, { signal: AbortSignal.abort() })).rejects.toThrow()
    expect(closed).toBe(2)
  })
})
