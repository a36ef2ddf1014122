import type { StateTypes } from '@collimate/backends'
import type { HostTensor, Program } from '@collimate/core'
import { add, gather, input, matmul, mul, program, reshape, softmax, sum } from '@collimate/graph'
import { law, type Law, require } from '@collimate/laws'
import fc from 'fast-check'
import { compileProgram } from '../compile.js'
import { providerOf, type Device } from '../devices.js'
import { Engine } from '../worker/engine.js'

const [x, w, v] = [input('x', [6]), input('w', [6], 'float', 'state'), input('v', [6], 'float', 'state')]
const [index, start] = [input('index', [2], 'int'), input('start', [], 'int')]
const cache = input('cache', [4, 6], 'float', 'state')

/** Programs that keep, replace and share tensors in every way that there is. */
const programs = {
  step: program({
    name: 'step',
    outputs: { y: sum(mul(x, w)), same: w },
    updates: [
      { state: w, value: add(w, x) },
      { state: v, value: w },
    ],
  }),
  share: program({
    name: 'share',
    updates: [
      { state: w, value: x },
      { state: v, value: x },
    ],
  }),
  pick: program({
    name: 'pick',
    outputs: { y: softmax(reshape(gather(mul(w, x), index), [1, 2])) },
    updates: [{ state: v, value: add(x, sum(gather(w, index))) }],
  }),
  rows: program({
    name: 'rows',
    updates: [{ state: cache, value: reshape(add(w, x), [1, 6]), at: { axis: 0, start } }],
  }),
  frozen: program({
    name: 'frozen',
    outputs: { y: matmul(reshape(x, [1, 6]), reshape(w, [1, 6]), { transposeB: true }) },
  }),
} satisfies Record<string, Program>
type Name = keyof typeof programs

const ones: HostTensor = { dtype: 'float', shape: [6], data: new Float32Array(6).fill(1) }
const types: StateTypes = new Map([...programs.step.inputs, ...programs.rows.inputs].map((one) => [one.name, one]))

const actions = ['step', 'share', 'pick', 'outside', 'rows', 'frozen', 'write', 'copy', 'drop', 'compile'] as const

/** What lives in TensorFlow.js is what states and executables explain: nothing leaks. */
export function tensorsAreExplained(device: Device): Law {
  return law({
    name: 'backend/tensors-are-explained',
    statement:
      'Whatever runs, fails, is copied, written or released, TensorFlow.js holds one tensor for each state buffer and each constant of an executable, and nothing once all is released',
    formula: 'tf.memory().numTensors = Σ buffers of states + Σ constants of executables',
    source: 'tfjs#8238, tfjs#200, tfjs#481, tfjs#4647, tfjs#8326: tensors that leak, step by step',
    cost: 4,
    arbitrary: fc.array(fc.constantFrom(...actions), { maxLength: 30 }),
    show: (sequence) => sequence.join(', '),
    holds: async (sequence) => {
      const engine = new Engine()
      await engine.open({ device })
      const before = engine.tensors()
      const compile = (name: Name, id: string): null => {
        const sets = new Map(name === 'frozen' ? [['w', 's']] : [])
        const compiled = compileProgram(programs[name], sets, () => types, providerOf(device))
        return engine.compile({ id, program: compiled })
      }
      const check = (when: string): void => {
        const { alive, explained } = engine.tensors()
        const more = alive - before.alive - explained
        require(more === 0, `after ${when} there are ${more} tensors more than ${explained}`)
      }
      engine.state({ id: 's', tensors: { w: ones, v: ones, cache: { dtype: 'float', shape: [4, 6], fill: 2 } } })
      for (const name of Object.keys(programs) as Name[]) compile(name, name)
      check('the start')
      const extra: string[] = []
      for (const action of sequence) {
        if (action === 'write') engine.write({ id: 's', tensors: { w: { ...ones, data: new Float32Array(6) } } })
        else if (action === 'copy') engine.copy({ id: 's', names: ['w', 'v'], target: added(extra, 'state') })
        else if (action === 'compile') compile('frozen', added(extra, 'program'))
        else if (action === 'drop') engine.release({ id: extra.pop() ?? 'none' })
        else run(engine, action)
        check(action)
      }
      engine.close()
      const { alive, buffers } = engine.tensors()
      require(alive === before.alive, `${alive - before.alive} tensors are left at the end`)
      require(buffers === before.buffers, `memory of ${buffers - before.buffers} tensors is left at the end`)
    },
  })
}

function added(ids: string[], kind: string): string {
  ids.push(`${kind} ${ids.length}`)
  return ids[ids.length - 1] as string
}

function run(engine: Engine, action: Name | 'outside'): void {
  const name = action === 'outside' ? 'pick' : action
  const values = {
    x: Float32Array.of(1, 2, 3, 4, 5, 6),
    index: Int32Array.of(1, action === 'outside' ? 6 : 5),
    start: Int32Array.of(2),
  }
  const feeds = programs[name].inputs
    .filter(({ role }) => role === 'feed')
    .map((one) => one.name as keyof typeof values)
  const request = {
    id: name,
    feeds: Object.fromEntries(feeds.map((feed) => [feed, values[feed]])),
    states: { w: 's', v: 's', cache: 's' },
  }
  let failed = false
  try {
    engine.run(request)
  } catch {
    failed = true
  }
  require(failed === (action === 'outside'), `${action} ${failed ? 'failed' : 'did not fail'}`)
}
