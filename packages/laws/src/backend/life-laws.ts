import type { Backend } from '@collimate/core'
import fc from 'fast-check'
import { law, type Law, require, Violation } from '../law.js'
import { refused } from '../refused.js'
import { type BackendSubject, sameNumbers } from './subject.js'
import { accumulate, held, hostVector, releasing, shownVectors, vectors } from './vectors.js'

/** Laws of what is alive, and of the end. */
export function lifeLaws(subject: BackendSubject, claims: { precision?: unknown; devices?: unknown }): Law[] {
  return [usage(subject), outliving(subject), closing(subject), ...capabilities(subject, claims)]
}

const counts = async (backend: Backend): Promise<string> => JSON.stringify(await backend.usage())

function usage({ fresh }: BackendSubject): Law {
  return law({
    name: 'backend/usage-is-constant',
    statement:
      'What is alive is constant from run to run, and after everything is released it is what it was at the start',
    formula: 'usage() before run = usage() after run; release(all), twice: usage() = usage() at the start',
    source: 'tfjs#8238, tfjs#200, tfjs#481, tfjs#4647: tensors that leak, step by step',
    cost: 20,
    arbitrary: fc.record({ vectors: vectors(2), runs: fc.integer({ min: 1, max: 30 }) }),
    show: ({ vectors: values, runs }) => `${shownVectors(['w', 'x'])(values)}, ${runs} runs`,
    holds: async ({ vectors: [w, x], runs }) => {
      const backend = await fresh()
      try {
        const start = await counts(backend)
        const state = await backend.state({ tensors: { w: hostVector(w), v: hostVector(x) } })
        const one = await backend.usage()
        const copy = await backend.copy({ state })
        const executable = await backend.compile({ program: accumulate(w.length) })
        const { executables, states, bytes } = await backend.usage()
        const shape = `${w.length} floats twice in a set`
        require(one.states === 1 && one.bytes > 0, `one set of ${shape} counts as ${JSON.stringify(one)}`)
        require(states === 2 &&
          bytes === 2 * one.bytes, `a set of ${one.bytes} bytes and its copy count as ${states} sets of ${bytes} bytes`)
        require(executables === 1, `one executable counts as ${executables}`)
        const before = await counts(backend)
        for (let i = 1; i <= runs; i++) {
          await backend.run({ executable, feeds: { x: Float32Array.from(x) }, states: [state] })
          const after = await counts(backend)
          require(after === before, `usage was ${before} before the runs and is ${after} after ${i}`)
        }
        for (const id of [executable, copy, state, state, executable]) await backend.release({ id })
        const end = await counts(backend)
        require(end === start, `usage was ${start} at the start and is ${end} after everything was released`)
      } finally {
        await backend.close()
      }
    },
  })
}

function outliving({ get }: BackendSubject): Law {
  return law({
    name: 'backend/states-outlive-executables',
    statement: 'What an executable wrote stays when it is released, and others go on from there',
    formula: 'w := w + x by one executable after another, each released after its run: w = start + Σ x',
    source: 'packages/core/src/contracts/backend.ts: release',
    cost: 10,
    arbitrary: fc.record({ vectors: vectors(2), executables: fc.integer({ min: 1, max: 10 }) }),
    show: ({ vectors: values, executables }) => `${shownVectors(['w', 'x'])(values)}, ${executables} executables`,
    holds: async ({ vectors: [start, x], executables }) => {
      const backend = await get()
      await releasing(backend, async (keep) => {
        const state = keep(await backend.state({ tensors: { w: hostVector(start) } }))
        let w = start
        for (let i = 1; i <= executables; i++) {
          const id = keep(await backend.compile({ program: accumulate(start.length) }))
          await backend.run({ executable: id, feeds: { x: Float32Array.from(x) }, states: [state] })
          const copy = keep(await backend.copy({ state }))
          await backend.release({ id })
          w = w.map((value, at) => value + x[at])
          for (const set of [state, copy])
            sameNumbers(`w after executable ${i} was released`, await held(backend, set), w)
        }
      })
    },
  })
}

function closing({ fresh }: BackendSubject): Law {
  return law({
    name: 'backend/close',
    statement: 'Closing answers the calls that were made before it, may be repeated, and every later call is refused',
    formula: 'run; close; close: the run is answered, then COLLIMATE_BACKEND_CLOSED',
    source: 'packages/core/src/contracts/backend.ts',
    cost: 25,
    arbitrary: vectors(2),
    show: shownVectors(['w', 'x']),
    holds: async ([w, x]) => {
      const backend = await fresh()
      const state = await backend.state({ tensors: { w: hostVector(w) } })
      const executable = await backend.compile({ program: accumulate(w.length) })
      const run = () => backend.run({ executable, feeds: { x: Float32Array.from(x) }, states: [state] })
      const answered = run().then(
        ({ y }) => y,
        (error: unknown) => new Violation(`a run before close is refused: ${String(error)}`),
      )
      await backend.close()
      await backend.close()
      const y = await answered
      if (y instanceof Error) throw y
      sameNumbers('a run before close', y, [w.reduce((total, value, i) => total + value * x[i], 0)])
      await refused('a run after close', run, 'COLLIMATE_BACKEND_CLOSED')
      await refused('a state set after close', () => backend.state({ tensors: {} }), 'COLLIMATE_BACKEND_CLOSED')
      await backend.release({ id: state })
    },
  })
}

function capabilities(
  { get }: BackendSubject,
  { precision, devices }: { precision?: unknown; devices?: unknown },
): Law[] {
  const parts = {
    source: 'packages/core/src/contracts/backend.ts: BackendCapabilities',
    cost: 25,
    arbitrary: fc.constant(undefined),
    show: () => 'capabilities()',
  }
  return [
    law({
      ...parts,
      name: 'backend/precision',
      statement: 'The backend computes in the precision that its manifest claims',
      formula: 'capabilities().precision = manifest.precision',
      capability: 'precision',
      holds: async () => {
        const found = (await (await get()).capabilities()).precision
        require(found === precision, `the manifest claims ${String(precision)}, the backend says ${found}`)
      },
    }),
    law({
      ...parts,
      name: 'backend/device',
      statement: 'The backend computes on a device that its manifest claims',
      formula: 'capabilities().device ∈ manifest.devices',
      capability: 'devices',
      holds: async () => {
        const { device } = await (await get()).capabilities()
        const claimed = Array.isArray(devices) ? devices.map(String) : []
        require(claimed.includes(device), `the manifest claims ${claimed.join(', ')}, the backend says ${device}`)
      },
    }),
  ]
}
