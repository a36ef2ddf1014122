import type { Backend, StateId, TensorData } from '@collimate/core'
import { add, constant, gather, input, type Program, program } from '@collimate/graph'
import fc from 'fast-check'
import { law, type Law } from '../law.js'
import { refused } from '../refused.js'
import { type BackendSubject, sameNumbers } from './subject.js'
import { accumulate, held, hostVector, leaves, releasing, shownVectors, vectors } from './vectors.js'

const contract = 'packages/core/src/contracts/backend.ts'

/** Laws of what is refused: every refusal has a code, and nothing has changed after it. */
export function refusalLaws(subject: BackendSubject): Law[] {
  return [feeds(subject), states(subject), indices(subject), programs(subject), unknown(subject), writes(subject)]
}

type Feeds = Record<string, TensorData>

function feeds({ get }: BackendSubject): Law {
  return law({
    name: 'backend/feeds-are-exact',
    statement:
      'A run with an unknown, missing or wrongly sized feed, or one of another kind, is refused and changes no state',
    formula:
      'feeds ≠ the feed inputs of the program: COLLIMATE_FEED_UNKNOWN, _FEED_MISSING or _TENSOR_INVALID; w stays',
    source: contract,
    cost: 8,
    arbitrary: vectors(2),
    show: shownVectors(['w', 'x']),
    holds: async ([w, values]) => {
      const backend = await get()
      const x = Float32Array.from(values)
      const wrong: [string, `COLLIMATE_${string}`, Feeds][] = [
        ['an unknown feed beside the right one', 'COLLIMATE_FEED_UNKNOWN', { x, z: Float32Array.of(1) }],
        ['a state given as a feed', 'COLLIMATE_FEED_UNKNOWN', { x, w: x }],
        ['no feed', 'COLLIMATE_FEED_MISSING', {}],
        ['a feed that is too long', 'COLLIMATE_TENSOR_INVALID', { x: new Float32Array(x.length + 1) }],
        ['a feed that is too short', 'COLLIMATE_TENSOR_INVALID', { x: new Float32Array(x.length - 1) }],
        ['whole numbers for a float feed', 'COLLIMATE_TENSOR_INVALID', { x: Int32Array.from(values) }],
      ]
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(w) } }))
        const executable = keep(await backend.compile({ program: accumulate(w.length) }))
        for (const [what, code, given] of wrong) {
          await refused(what, () => backend.run({ executable, feeds: given, states: [state] }), code)
          sameNumbers(`w after a run with ${what}`, await held(backend, state), w)
        }
        await backend.run({ executable, feeds: { x }, states: [state] })
        const sums = w.map((value, i) => value + values[i])
        sameNumbers('w after a right run that followed refused ones', await held(backend, state), sums)
      })
    },
  })
}

function states({ get }: BackendSubject): Law {
  return law({
    name: 'backend/states-must-fit',
    statement: 'A run whose states are missing, of another shape or kind, or of a set that does not exist, is refused',
    formula: 'COLLIMATE_STATE_MISSING, _STATE_MISMATCH, _STATE_UNKNOWN; every state stays',
    source: contract,
    cost: 8,
    arbitrary: vectors(2),
    show: shownVectors(['w', 'x']),
    holds: async ([w, values]) => {
      const backend = await get()
      const given = { x: Float32Array.from(values) }
      await releasing(backend, async (keep) => {
        const executable = keep(await backend.compile({ program: accumulate(w.length) }))
        const longer = keep(await backend.state({ tensors: { w: hostVector([...w, 1]) } }))
        const other = keep(await backend.state({ tensors: { v: hostVector(w) } }))
        const ints = keep(await backend.state({ tensors: { w: { dtype: 'int', shape: [w.length] } } }))
        const gone = await backend.state({ tensors: { w: hostVector(w) } })
        await backend.release({ id: gone })
        const wrong: [string, `COLLIMATE_${string}`, StateId[]][] = [
          ['no state set', 'COLLIMATE_STATE_MISSING', []],
          ['a set without w', 'COLLIMATE_STATE_MISSING', [other]],
          ['a w of another shape', 'COLLIMATE_STATE_MISMATCH', [longer]],
          ['a w of whole numbers', 'COLLIMATE_STATE_MISMATCH', [ints]],
          ['a set that was released', 'COLLIMATE_STATE_UNKNOWN', [gone]],
          ['a set that never was', 'COLLIMATE_STATE_UNKNOWN', ['no such set']],
        ]
        for (const [what, code, sets] of wrong) {
          await refused(`a run with ${what}`, () => backend.run({ executable, feeds: given, states: sets }), code)
        }
        sameNumbers('w of another shape, after refused runs', await held(backend, longer), [...w, 1])
      })
    },
  })
}

function indices({ get }: BackendSubject): Law {
  return law({
    name: 'backend/failed-run-changes-nothing',
    statement:
      'A run that fails while it computes, at an index outside of its table, is refused and leaves every state as it was',
    formula: 'gather(x, i) with i ≥ length: refused; w and v stay',
    source: `${contract}: after a rejected run the state buffers hold what they held before it`,
    cost: 8,
    arbitrary: fc.record({ vectors: vectors(3), beyond: fc.integer({ min: 0, max: 99 }) }),
    show: ({ vectors: values, beyond }) =>
      `${shownVectors(['w', 'v', 'x'])(values)}, index ${values[0].length + beyond}`,
    holds: async ({ vectors: [w, v, values], beyond }) => {
      const backend = await get()
      const { x, w: one, v: two } = leaves(w.length)
      const index = input('index', [1], 'int')
      const picked = gather(x, index)
      const pick = program({
        name: 'pick',
        outputs: { y: picked },
        updates: [
          { state: two, value: x },
          { state: one, value: add(x, picked) },
        ],
      })
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(w), v: hostVector(v) } }))
        const executable = keep(await backend.compile({ program: pick }))
        const given = { x: Float32Array.from(values), index: Int32Array.of(w.length + beyond) }
        await refused('a run with an index outside of its table', () =>
          backend.run({ executable, feeds: given, states: [state] }),
        )
        sameNumbers('w', await held(backend, state, 'w'), w)
        sameNumbers('v', await held(backend, state, 'v'), v)
      })
    },
  })
}

function programs({ get }: BackendSubject): Law {
  return law({
    name: 'backend/programs-are-checked',
    statement: 'A program that contradicts itself, or uses an op that does not exist, is refused when it is compiled',
    formula: 'a node with another shape, op or later operand: COLLIMATE_...; nothing more is alive than before',
    source: contract,
    cost: 8,
    arbitrary: fc.integer({ min: 1, max: 5 }),
    show: (length) => `y = x + 1 of length ${length}`,
    holds: async (length) => {
      const backend = await get()
      const outputs = { y: add(leaves(length).x, constant(1)) }
      const right: Program = program({ name: 'p', outputs })
      const withNodes = (change: object): { program: Program } => ({
        program: { ...right, nodes: right.nodes.map((node) => ({ ...node, ...change })) },
      })
      const before = await backend.usage()
      for (const [what, change] of [
        ['a node of a shape that does not follow', { shape: [length + 7] }],
        ['a node of another kind than follows', { dtype: 'int' }],
        ['an op that does not exist', { op: 'nosuch' }],
        ['an operand that comes later', { inputs: [99, 99] }],
      ] as const) {
        await refused(`a program with ${what}`, () => backend.compile(withNodes(change)))
      }
      const after = await backend.usage()
      sameNumbers('executables alive', [after.executables], [before.executables])
    },
  })
}

function unknown({ get }: BackendSubject): Law {
  return law({
    name: 'backend/unknown-ids',
    statement: 'Ids of executables, state sets and buffers that do not exist, or were released, are refused',
    formula: 'COLLIMATE_EXECUTABLE_UNKNOWN, COLLIMATE_STATE_UNKNOWN',
    source: contract,
    cost: 8,
    arbitrary: vectors(1),
    show: shownVectors(['w']),
    holds: async ([w]) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(w) } }))
        const executable = await backend.compile({ program: accumulate(w.length) })
        await backend.release({ id: executable })
        const run = (id: string) => () =>
          backend.run({ executable: id, feeds: { x: Float32Array.from(w) }, states: [state] })
        await refused('a run of an executable that was released', run(executable), 'COLLIMATE_EXECUTABLE_UNKNOWN')
        await refused('a run of an executable that never was', run('nosuch'), 'COLLIMATE_EXECUTABLE_UNKNOWN')
        await refused(
          'reading a set that never was',
          () => backend.read({ state: 'nosuch' }),
          'COLLIMATE_STATE_UNKNOWN',
        )
        const unnamed = { state, names: ['w', 'nosuch'] }
        await refused('reading a buffer that is not there', () => backend.read(unnamed), 'COLLIMATE_STATE_UNKNOWN')
        await refused('copying a buffer that is not there', () => backend.copy(unnamed), 'COLLIMATE_STATE_UNKNOWN')
        const frozen = () => backend.compile({ program: accumulate(w.length), frozen: ['nosuch'] })
        await refused('freezing a set that never was', frozen, 'COLLIMATE_STATE_UNKNOWN')
      })
    },
  })
}

function writes({ get }: BackendSubject): Law {
  return law({
    name: 'backend/writes-are-whole',
    statement:
      'A write of another shape, kind or name is refused, and of several tensors in one write all enter or none',
    formula: 'write({w, nosuch}): COLLIMATE_STATE_UNKNOWN; write of [n + 1]: COLLIMATE_STATE_MISMATCH; w and v stay',
    source: contract,
    cost: 8,
    arbitrary: vectors(3),
    show: shownVectors(['w', 'v', 'written']),
    holds: async ([w, v, written]) => {
      const backend: Backend = await get()
      const next = hostVector(written)
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(w), v: hostVector(v) } }))
        const longer = hostVector([...written, 1])
        const int = { dtype: 'int' as const, shape: [v.length], data: Int32Array.from(written) }
        for (const [what, code, tensors] of [
          ['an unknown buffer', 'COLLIMATE_STATE_UNKNOWN', { w: next, nosuch: next }],
          ['a v that is too long', 'COLLIMATE_STATE_MISMATCH', { w: next, v: longer }],
          ['a v of whole numbers', 'COLLIMATE_STATE_MISMATCH', { w: next, v: int }],
          ['fewer values than its shape', 'COLLIMATE_TENSOR_INVALID', { w: next, v: { ...longer, shape: [v.length] } }],
        ] as const) {
          await refused(`a write of w and ${what}`, () => backend.write({ state, tensors }), code)
          sameNumbers(`w after a write with ${what}`, await held(backend, state, 'w'), w)
          sameNumbers(`v after a write with ${what}`, await held(backend, state, 'v'), v)
        }
        await refused(
          'a buffer with fewer values than its shape',
          async () => keep(await backend.state({ tensors: { w: { ...next, shape: [w.length + 1] } } })),
          'COLLIMATE_TENSOR_INVALID',
        )
      })
    },
  })
}
