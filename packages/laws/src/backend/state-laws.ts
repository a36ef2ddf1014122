import type { Backend } from '@collimate/core'
import { add, mul, program, sum } from '@collimate/graph'
import { law, type Law, near, require } from '../law.js'
import { refused } from '../refused.js'
import { type BackendSubject, sameNumbers } from './subject.js'
import { accumulate, held, hostVector, leaves, releasing, show, shownVectors, vectors } from './vectors.js'

const contract = 'packages/core/src/contracts/backend.ts'

/** Laws of state sets: which buffer a program sees, and who shares memory with whom. */
export function stateLaws(subject: BackendSubject): Law[] {
  return [firstSet(subject), noAlias(subject), copies(subject), frozen(subject), partlyFrozen(subject)]
}

function firstSet({ get }: BackendSubject): Law {
  return law({
    name: 'backend/first-set-wins',
    statement: 'States are looked up by name: of several sets, the first that has the name wins',
    formula: 'run(states: [A, B]).w = A.w where A has w, else B.w',
    source: contract,
    cost: 5,
    arbitrary: vectors(3),
    show: shownVectors(['A.w', 'B.w', 'B.v']),
    holds: async ([a, b, v]) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const one = keep(await backend.state({ tensors: { w: hostVector(a) } }))
        const both = keep(await backend.state({ tensors: { w: hostVector(b), v: hostVector(v) } }))
        const { w: first, v: second } = leaves(a.length)
        const outputs = { w: first, v: second }
        const executable = keep(await backend.compile({ program: program({ name: 'both', outputs }) }))
        for (const [states, expected] of [
          [[one, both], a],
          [[both, one], b],
        ] as const) {
          const actual = await backend.run({ executable, feeds: {}, states })
          sameNumbers(`w, ${states[0] === one ? 'A' : 'B'} first`, actual.w, expected)
          sameNumbers('v, which only B has', actual.v, v)
        }
      })
    },
  })
}

function noAlias({ get }: BackendSubject): Law {
  return law({
    name: 'backend/no-shared-memory',
    statement:
      'The backend shares no memory with its caller: what goes in and what comes out can be overwritten freely',
    formula: 'writing into initial values, feeds, outputs, read or written tensors changes no state',
    source: contract,
    cost: 5,
    arbitrary: vectors(3),
    show: shownVectors(['w', 'x', 'written']),
    holds: async ([start, x, written]) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const initial = hostVector(start)
        const state = keep(await backend.state({ tensors: { w: initial } }))
        initial.data.fill(99)
        sameNumbers('w, after its initial values were overwritten', await held(backend, state), start)
        ;(await backend.read({ state })).w.data.fill(99)
        sameNumbers('w, after what was read was overwritten', await held(backend, state), start)
        const executable = keep(await backend.compile({ program: show(start.length) }))
        const first = await backend.run({ executable, feeds: {}, states: [state] })
        await backend.write({ state, tensors: { w: hostVector(written) } })
        const second = await backend.run({ executable, feeds: {}, states: [state] })
        sameNumbers('an output, after the next run', first.y, start)
        second.y.fill(99)
        sameNumbers('w, after an output was overwritten', await held(backend, state), written)
        const { x: feed, w } = leaves(start.length)
        const copying = program({ name: 'copying', outputs: { x: feed }, updates: [{ state: w, value: feed }] })
        const feeds = { x: Float32Array.from(x) }
        const copy = keep(await backend.compile({ program: copying }))
        const outputs = await backend.run({ executable: copy, feeds, states: [state] })
        sameNumbers('the feed, after its run', feeds.x, x)
        feeds.x.fill(99)
        outputs.x.fill(98)
        sameNumbers('w, after the feed that became it was overwritten', await held(backend, state), x)
        const tensor = hostVector(written)
        await backend.write({ state, tensors: { w: tensor } })
        tensor.data.fill(99)
        sameNumbers('w, after a written tensor was overwritten', await held(backend, state), written)
      })
    },
  })
}

function copies({ get }: BackendSubject): Law {
  return law({
    name: 'backend/copies-are-independent',
    statement:
      'A copy holds the present values of all or the named buffers, and neither side sees what happens to the other',
    formula: 'C := copy(S); write to S leaves C, a run on C leaves S',
    source: contract,
    cost: 5,
    arbitrary: vectors(4),
    show: shownVectors(['w', 'v', 'written to S', 'added to C']),
    holds: async ([w, v, written, added]) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(w), v: hostVector(v) } }))
        const whole = keep(await backend.copy({ state }))
        const part = keep(await backend.copy({ state, names: ['v'] }))
        sameNumbers('names of a copy of v', [Object.keys(await backend.read({ state: part })).length], [1])
        await backend.write({ state, tensors: { w: hostVector(written), v: hostVector(written) } })
        sameNumbers('w of the copy, after S was written', await held(backend, whole), w)
        sameNumbers('v of the copy of v, after S was written', await held(backend, part, 'v'), v)
        const executable = keep(await backend.compile({ program: accumulate(w.length) }))
        await backend.run({ executable, feeds: { x: Float32Array.from(added) }, states: [whole] })
        const sum = w.map((value, i) => value + added[i])
        sameNumbers('w of the copy, after a run on it', await held(backend, whole), sum)
        sameNumbers('w of S, after a run on the copy', await held(backend, state), written)
        await backend.release({ id: whole })
        sameNumbers('w of S, after the copy was released', await held(backend, state), written)
      })
    },
  })
}

/** `y = Σ x · w + v`. */
async function readerOf(backend: Backend, length: number, sets: readonly string[]) {
  const { x, w, v } = leaves(length)
  const compiled = program({ name: 'reader', outputs: { y: add(sum(mul(x, w)), v) } })
  return backend.compile({ program: compiled, ...(sets.length > 0 && { frozen: sets }) })
}

const dot = (x: readonly number[], w: readonly number[], v: readonly number[]): number[] =>
  v.map((value) => value + x.reduce((total, factor, i) => total + factor * w[i], 0))

function frozen({ get }: BackendSubject): Law {
  return law({
    name: 'backend/frozen-equals-live',
    statement:
      'An executable with frozen states computes what a live one did when it was compiled, and sees no later write',
    formula: 'compile(p, frozen: S); write(S): run = p of S as it was; updating a frozen state is refused',
    source: contract,
    cost: 8,
    arbitrary: vectors(4),
    show: shownVectors(['w', 'v', 'x', 'written later']),
    holds: async ([w, v, x, later]) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(w), v: hostVector(v) } }))
        const live = keep(await readerOf(backend, w.length, []))
        const fixed = keep(await readerOf(backend, w.length, [state]))
        const feeds = { x: Float32Array.from(x) }
        sameNumbers('frozen', (await backend.run({ executable: fixed, feeds })).y, dot(x, w, v))
        sameNumbers('live', (await backend.run({ executable: live, feeds, states: [state] })).y, dot(x, w, v))
        await backend.write({ state, tensors: { w: hostVector(later), v: hostVector(later) } })
        sameNumbers('frozen, after a write', (await backend.run({ executable: fixed, feeds })).y, dot(x, w, v))
        const now = (await backend.run({ executable: live, feeds, states: [state] })).y
        sameNumbers('live, after a write', now, dot(x, later, later))
        await refused(
          'a program that updates a frozen state',
          async () => keep(await backend.compile({ program: accumulate(w.length), frozen: [state] })),
          'COLLIMATE_PROGRAM_INVALID',
        )
      })
    },
  })
}

function partlyFrozen({ get }: BackendSubject): Law {
  return law({
    name: 'backend/partly-frozen',
    statement: 'States of a program may be frozen in part: the rest is looked up at the run, and the frozen set may go',
    formula: 'compile(p, frozen: {v}), release({v}): run(states: {w}) = p(w, v as it was)',
    source: contract,
    cost: 8,
    arbitrary: vectors(4),
    show: shownVectors(['w', 'v', 'x', 'w later']),
    holds: async ([w, v, x, later]) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(w) } }))
        const fixed = await backend.state({ tensors: { v: hostVector(v) } })
        const executable = keep(await readerOf(backend, w.length, [fixed]))
        await backend.release({ id: fixed })
        const run = async () => {
          const { y } = await backend.run({ executable, feeds: { x: Float32Array.from(x) }, states: [state] })
          require(y.length === v.length, `y has ${y.length} values, the law says ${v.length}`)
          return y
        }
        sameNumbers('y', await run(), dot(x, w, v))
        await backend.write({ state, tensors: { w: hostVector(later) } })
        const after = await run()
        dot(x, later, v).forEach((value, i) => near(after[i], value, 0, `y[${i}] after w was written`))
      })
    },
  })
}
