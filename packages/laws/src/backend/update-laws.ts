import type { HostTensor } from '@collimate/core'
import { add, input, interpret, matmul, mul, program, sum } from '@collimate/graph'
import fc from 'fast-check'
import { law, type Law, near } from '../law.js'
import { refused } from '../refused.js'
import { seeded } from './draws.js'
import { type BackendSubject, sameNumbers, sameTensor } from './subject.js'
import { accumulate, held, hostVector, releasing, shownVectors, vectors, whole } from './vectors.js'

const contract = 'packages/core/src/contracts/program.ts: ProgramUpdate'

/** Laws of programs that write states. */
export function updateLaws(subject: BackendSubject): Law[] {
  return [
    afterOutputs(subject),
    together(subject),
    throughProducts(subject),
    rowsAt(subject),
    inOrder(subject),
    kinds(subject),
  ]
}

function afterOutputs({ get }: BackendSubject): Law {
  return law({
    name: 'backend/outputs-before-updates',
    statement: 'Outputs are computed from the states as they were before the run, and the next run sees the new ones',
    formula: 'y_t = Σ x_t · w_t, w_(t+1) = w_t + x_t',
    source: contract,
    cost: 5,
    arbitrary: vectors(4),
    show: shownVectors(['w', 'x1', 'x2', 'x3']),
    holds: async ([start, ...steps]) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(start) } }))
        const executable = keep(await backend.compile({ program: accumulate(start.length) }))
        let w = start
        for (const [t, x] of steps.entries()) {
          const { y } = await backend.run({ executable, feeds: { x: Float32Array.from(x) }, states: [state] })
          near(
            y[0],
            w.reduce((total, value, i) => total + value * x[i], 0),
            0,
            `y of run ${t + 1}`,
          )
          w = w.map((value, i) => value + x[i])
          sameNumbers(`w after run ${t + 1}`, await held(backend, state), w)
        }
      })
    },
  })
}

function together({ get }: BackendSubject): Law {
  return law({
    name: 'backend/updates-happen-together',
    statement: 'Updates of one program read the old states and write all new ones at once, so two states can swap',
    formula: '(s_0, s_1, s_2) := (s_a(0) + k s_b(0), s_a(1) + k s_b(1), s_a(2) + k s_b(2))',
    source: contract,
    cost: 5,
    arbitrary: fc.record({
      values: vectors(3),
      from: fc.array(fc.tuple(fc.nat(2), fc.nat(2), fc.integer({ min: 0, max: 2 })), { minLength: 3, maxLength: 3 }),
    }),
    show: ({ values, from }) =>
      `${shownVectors(['s0', 's1', 's2'])(values)}; ${from.map(([a, b, k], i) => `s${i} := s${a}${k === 0 ? '' : ` + ${k} s${b}`}`).join(', ')}`,
    holds: async ({ values, from }) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const states = values.map((value, i) => input(`s${i}`, [value.length], 'float', 'state'))
        const compiled = program({
          name: 'together',
          updates: from.map(([a, b, k], i) => ({
            state: states[i],
            value: k === 0 ? states[a] : add(states[a], mul(states[b], k)),
          })),
        })
        const tensors = Object.fromEntries(values.map((value, i) => [`s${i}`, hostVector(value)]))
        const state = keep(await backend.state({ tensors }))
        const executable = keep(await backend.compile({ program: compiled }))
        await backend.run({ executable, feeds: {}, states: [state] })
        for (const [i, [a, b, k]] of from.entries()) {
          const expected = values[a].map((value, at) => value + k * values[b][at])
          sameNumbers(`s${i} afterwards`, await held(backend, state, `s${i}`), expected)
        }
      })
    },
  })
}

function throughProducts({ get, productTolerance }: BackendSubject): Law {
  return law({
    name: 'backend/updates-through-products',
    statement: 'States that are updated through products of each other follow the interpreter, step after step',
    formula: 'P := Q P, Q := Pᵀ Q + P, three times',
    source: contract,
    cost: 8,
    arbitrary: fc.record({ size: fc.integer({ min: 1, max: 6 }), seed: fc.nat(2 ** 31 - 1) }),
    show: ({ size, seed }) => `P and Q of [${size}, ${size}] from seed ${seed}`,
    holds: async ({ size, seed }) => {
      const backend = await get()
      const [p, q] = ['p', 'q'].map((name) => input(name, [size, size], 'float', 'state'))
      const compiled = program({
        name: 'entangled',
        outputs: { total: sum(p) },
        updates: [
          { state: p, value: matmul(q, p) },
          { state: q, value: add(matmul(p, q, { transposeA: true }), p) },
        ],
      })
      const random = seeded(seed)
      const drawn = (): HostTensor => ({
        dtype: 'float',
        shape: [size, size],
        data: Float64Array.from({ length: size * size }, () => Math.fround(random() - 0.5)),
      })
      const expected = { p: drawn(), q: drawn() }
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: expected }))
        const executable = keep(await backend.compile({ program: compiled }))
        for (let step = 1; step <= 3; step++) {
          const { total } = interpret(compiled, { states: expected }).outputs
          const actual = await backend.run({ executable, feeds: {}, states: [state] })
          sameTensor(`Σ P of run ${step}`, actual.total, total, 10 * productTolerance)
        }
        const actual = await backend.read({ state })
        for (const name of ['p', 'q'] as const)
          sameTensor(name, actual[name].data, expected[name], 10 * productTolerance)
      })
    },
  })
}

function rowsAt({ get }: BackendSubject): Law {
  return law({
    name: 'backend/rows-at',
    statement:
      'Rows enter a buffer at the axis and place that they are given, nowhere else, and never beyond its end; the run that writes them reads the buffer as it was',
    formula: 'buffer[..., start .. start + rows, ...] := value; refused unless 0 ≤ start ≤ capacity − rows',
    source: 'packages/core/src/contracts/program.ts: ProgramUpdate.at, how rows enter a key-value cache',
    cost: 8,
    arbitrary: fc
      .record({
        shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
        place: fc.tuple(fc.nat(59), fc.nat(59), fc.nat(59)),
        dtype: fc.constantFrom('float' as const, 'int' as const),
        reads: fc.boolean(),
      })
      .map(({ shape, place: [p, q, r], dtype, reads }) => {
        const axis = p % shape.length
        const rows = 1 + (q % shape[axis])
        return { shape, axis, rows, from: r % (shape[axis] - rows + 1), dtype, reads }
      }),
    show: ({ shape, axis, rows, from, dtype, reads }) =>
      `${rows} rows at ${from} along axis ${axis} of a buffer ${dtype} [${shape.join(', ')}]${reads ? ', which is read' : ''}`,
    holds: async ({ shape, axis, rows, from, dtype, reads }) => {
      const backend = await get()
      const rowShape = shape.map((size, d) => (d === axis ? rows : size))
      const [fresh, start] = [input('fresh', rowShape, dtype), input('start', [], 'int')]
      const cache = input('cache', shape, dtype, 'state')
      const append = program({
        name: 'append',
        outputs: reads ? { before: add(cache, 1) } : {},
        updates: [{ state: cache, value: mul(fresh, 2), at: { axis, start } }],
      })
      const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1)
      const size = shape.reduce((product, length) => product * length, 1)
      const last = shape[axis] - rows
      let expected = Array.from({ length: size }, () => -1)
      await releasing(backend, async (keep) => {
        const executable = keep(await backend.compile({ program: append }))
        const state = keep(await backend.state({ tensors: { cache: { dtype, shape, fill: -1 } } }))
        const run = (place: number, first: number) => {
          const counted = Array.from({ length: (size / shape[axis]) * rows }, (_, i) => first + i)
          const data = dtype === 'int' ? Int32Array.from(counted) : Float32Array.from(counted)
          return backend.run({ executable, feeds: { fresh: data, start: Int32Array.of(place) }, states: [state] })
        }
        for (const [time, place] of [from, 0, last].entries()) {
          let next = 1 + 1000 * time
          const { before } = await run(place, next)
          if (reads) {
            const read = expected.map((value) => value + 1)
            sameNumbers(`the buffer plus 1, as run ${time + 1} reads it`, before, read)
          }
          expected = expected.map((value, i) => {
            const at = Math.floor(i / inner) % shape[axis]
            return at >= place && at < place + rows ? 2 * next++ : value
          })
          sameNumbers(`the buffer after rows at ${place}`, await held(backend, state, 'cache'), expected)
        }
        for (const outside of [-1, last + 1])
          await refused(`a run with start ${outside}`, () => run(outside, 1), 'COLLIMATE_UPDATE_OUT_OF_RANGE')
        sameNumbers('the buffer after refused runs', await held(backend, state, 'cache'), expected)
      })
    },
  })
}

function inOrder({ get }: BackendSubject): Law {
  return law({
    name: 'backend/calls-in-order',
    statement: 'Calls are executed in the order in which they are made, also when nobody waits between them',
    formula: 'write(w), run, run, ..., read without waiting = the same one after another',
    source: 'packages/core/src/contracts/backend.ts',
    cost: 8,
    arbitrary: fc.record({ start: whole, steps: fc.array(fc.tuple(fc.boolean(), whole), { maxLength: 12 }) }),
    show: ({ start, steps }) =>
      [`w = ${start}`, ...steps.map(([write, value]) => (write ? `write ${value}` : `add ${value}`))].join(', '),
    holds: async ({ start, steps }) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector([start]) } }))
        const executable = keep(await backend.compile({ program: accumulate(1) }))
        let w = start
        const expected: number[] = []
        const seen: Promise<number[]>[] = []
        const work: Promise<unknown>[] = []
        for (const [write, value] of steps) {
          work.push(
            write
              ? backend.write({ state, tensors: { w: hostVector([value]) } })
              : backend.run({ executable, feeds: { x: Float32Array.of(value) }, states: [state] }),
          )
          seen.push(held(backend, state))
          w = write ? value : w + value
          expected.push(w)
        }
        await Promise.all(work)
        sameNumbers('w after each call', (await Promise.all(seen)).flat(), expected)
      })
    },
  })
}

function kinds({ get }: BackendSubject): Law {
  return law({
    name: 'backend/kinds-are-kept',
    statement:
      'Whole numbers and truth values stay what they are as feeds, states and outputs, and buffers start as they are told',
    formula: 'int state n: output n, then n := n + 1; bool feed: output as it came; fill defaults to 0',
    source: 'packages/core/src/contracts/program.ts: TensorData',
    cost: 5,
    arbitrary: fc.record({
      fill: fc.option(fc.integer({ min: -1e6, max: 1e6 })),
      flags: fc.array(fc.nat(1), { minLength: 1, maxLength: 4 }),
    }),
    show: ({ fill, flags }) => `n filled with ${fill ?? 'the default'}, flags [${flags.join(', ')}]`,
    holds: async ({ fill, flags }) => {
      const backend = await get()
      const n = input('n', [2], 'int', 'state')
      const given = input('flags', [flags.length], 'bool')
      const count = program({ name: 'count', outputs: { n, flags: given }, updates: [{ state: n, value: add(n, 1) }] })
      await releasing(backend, async (keep) => {
        const state = keep(
          await backend.state({ tensors: { n: { dtype: 'int', shape: [2], ...(fill !== null && { fill }) } } }),
        )
        const executable = keep(await backend.compile({ program: count }))
        const outputs = await backend.run({ executable, feeds: { flags: Uint8Array.from(flags) }, states: [state] })
        const before = fill ?? 0
        sameTensor('n', outputs.n, { dtype: 'int', data: Int32Array.of(before, before) }, 0)
        sameTensor('flags', outputs.flags, { dtype: 'bool', data: Uint8Array.from(flags) }, 0)
        const after = (await backend.read({ state })).n
        sameTensor('n after the run', after.data, { dtype: 'int', data: Int32Array.of(before + 1, before + 1) }, 0)
      })
    },
  })
}
