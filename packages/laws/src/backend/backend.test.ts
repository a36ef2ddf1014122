import type { Program } from '@collimate/graph'
import { describe, expect, test } from 'vitest'
import { checkLaw, checkSuite } from '../check.js'
import { testLaws } from '../declare.js'
import { lawsOfBackend } from './index.js'
import { createMemoryBackend, type Fault, type Ops } from './testing/memory-backend.js'

const suiteWith = (faults: readonly Fault[], overrides: Partial<Ops> = {}, claims = {}) =>
  lawsOfBackend({ name: 'memory', create: () => createMemoryBackend(faults, overrides), tolerance: 1e-9, claims })

testLaws(suiteWith([], {}, { precision: 'float64', devices: ['cpu'] }), { test }, { runs: 40 })

/** Names of the laws that fail; those of ops are left out unless they are asked for. */
async function killers(suite: ReturnType<typeof suiteWith>, ops = false): Promise<string[]> {
  const failed: string[] = []
  for (const law of suite.laws) {
    if (!ops && /^backend\/(value|derivative)\//.test(law.name)) continue
    if ((await checkLaw(law, { runs: 60, seed: 7 })).status === 'fails') failed.push(law.name.replace('backend/', ''))
  }
  await suite.close()
  return failed
}

describe('faults that laws find', () => {
  test.each<[Fault, string]>([
    ['sharesInitialValues', 'no-shared-memory'],
    ['sharesReads', 'no-shared-memory'],
    ['keepsFeeds', 'no-shared-memory'],
    ['updatesOneByOne', 'updates-happen-together'],
    ['updatesBeforeOutputs', 'outputs-before-updates'],
    ['rowsAtAxisZero', 'rows-at'],
    ['noEndOfRows', 'rows-at'],
    ['lastSetWins', 'first-set-wins'],
    ['frozenSeesWrites', 'frozen-equals-live'],
    ['copyShares', 'copies-are-independent'],
    ['ignoresUnknownFeeds', 'feeds-are-exact'],
    ['zerosForMissingFeeds', 'feeds-are-exact'],
    ['anySizeOfFeed', 'feeds-are-exact'],
    ['halfARun', 'failed-run-changes-nothing'],
    ['halfAWrite', 'writes-are-whole'],
    ['errorsWithoutCode', 'unknown-ids'],
    ['keepsEveryRun', 'usage-is-constant'],
    ['forgetsToCountCopies', 'usage-is-constant'],
    ['releaseTwiceThrows', 'usage-is-constant'],
    ['runsAfterClose', 'close'],
    ['slowReads', 'calls-in-order'],
    ['float32Ints', 'kinds-are-kept'],
    ['drifts', 'same-bits'],
    ['uncheckedPrograms', 'programs-are-checked'],
  ])('%s: %s', async (fault, law) => {
    expect(await killers(suiteWith([fault]))).toContain(law)
  })

  const replaced = (from: string, to: string) => (program: Program) =>
    ({ ...program, nodes: program.nodes.map((node) => (node.op === from ? { ...node, op: to } : node)) }) as Program

  test.each([
    ['tanh', 'sin'],
    ['maximum', 'minimum'],
    ['less', 'lessEqual'],
  ])('a backend that computes %s as %s breaks the law of that op', async (from, to) => {
    expect(await killers(suiteWith([], { program: replaced(from, to) }), true)).toContain(`value/${from}`)
  })

  test('a sum over the wrong axes, and only that', async () => {
    const program = (one: Program): Program => ({
      ...one,
      nodes: one.nodes.map((node) =>
        node.op === 'cumsum' ? { ...node, attributes: { ...node.attributes, reverse: false } } : node,
      ),
    })
    expect(await killers(suiteWith([], { program }), true)).toEqual(
      expect.arrayContaining(['value/cumsum', 'derivative/cumsum']),
    )
  })

  test('the message names the op, the smallest shapes, the values and the seed', async () => {
    const suite = suiteWith([], { program: replaced('tanh', 'sin') })
    const law = suite.laws.find(({ name }) => name === 'backend/value/tanh')!
    const { message } = await checkLaw(law, { seed: 3 })
    expect(message).toMatch(/counterexample {2}tanh\(a: float \[\]\) = float \[\] where a = \[/)
    expect(message).toMatch(/found {11}tanh: element 0 is .*, the law says .* \(off by /)
    expect(message).toMatch(/replay {10}seed 3, path/)
    await suite.close()
  })
})

test('what the manifest does not claim is declared unsupported, what no law checks is unproven', async () => {
  const suite = suiteWith([], {}, { precision: 'float16', speed: 'fast' })
  expect(suite.unsupported).toEqual([{ capability: 'devices', laws: ['backend/device'] }])
  expect(suite.unproven).toEqual(['speed'])
  const [precision] = suite.laws.filter(({ name }) => name === 'backend/precision')
  expect((await checkLaw(precision)).message).toContain('the manifest claims float16, the backend says float64')
  await suite.close()
})

test('a backend that cannot be opened fails every law with the reason', async () => {
  const create = () => Promise.reject(new Error('no such device'))
  const results = await checkSuite(lawsOfBackend({ name: 'absent', create, tolerance: 1e-9 }), { runs: 1 })
  expect(results.every(({ message }) => message?.includes('no such device'))).toBe(true)
})
