import { Failure } from '@collimate/backends/worker'
import type { TensorData } from '@collimate/core'
import type { ElementwisePlan, Pass } from '../elementwise/plan.js'
import { scalarValue } from '../elementwise/scalar.js'
import type { StateSet } from './state-set.js'

type Find = (name: string) => StateSet

const modules = new Map<string, WebAssembly.Module>()

/** Compiled modules of a plan; plans with equal formulas share them. */
export function compileModules(plan: ElementwisePlan): WebAssembly.Module[] {
  return plan.modules.map((bytes) => {
    const key = Buffer.from(bytes).toString('latin1')
    const module = modules.get(key) ?? new WebAssembly.Module(bytes)
    modules.set(key, module)
    return module
  })
}

/** A kernel reaches one memory only: do the buffers of each pass live in the same set? */
export const livesTogether = (plan: ElementwisePlan, find: Find): boolean =>
  plan.together.every((names) => new Set(names.map(find)).size <= 1)

/** Runs a plan: scalars and sums first, then the passes that write. Nothing in it can fail half-way. */
export function runElementwise(
  plan: ElementwisePlan,
  compiled: readonly WebAssembly.Module[],
  feeds: Readonly<Record<string, TensorData>>,
  find: Find,
): Record<string, TensorData> {
  const values: number[] = []
  const call = (pass: Pass): number => {
    const [first] = pass.states
    const module = compiled[pass.module]
    if (first === undefined || !module) throw new Failure('COLLIMATE_BACKEND_RUN', 'a pass without buffers')
    const set = find(first)
    const addresses = pass.states.map((name) => set.buffer(name).offset)
    const scalars = pass.scalars.map((step) => values[step] ?? Number.NaN)
    return kernel(set, module)(pass.count, ...addresses, ...scalars) ?? 0
  }

  for (const step of plan.steps) {
    if (step.op === 'constant') values.push(step.value)
    else if (step.op === 'feed') values.push(feeds[step.name]?.[0] ?? Number.NaN)
    else if (step.op === 'state') values.push(find(step.name).view(step.name)[0] ?? Number.NaN)
    else if (step.op === 'reduce') values.push(call(step.pass))
    else {
      const operands = step.inputs.map((input) => values[input] ?? Number.NaN)
      if (step.exponent !== undefined) operands.push(step.exponent)
      values.push(scalarValue(step.op, operands, step.dtype))
    }
  }
  for (const pass of plan.passes) call(pass)
  for (const { state, step } of plan.updates) find(state).view(state)[0] = values[step] ?? Number.NaN

  const arrays = { float: Float32Array, int: Int32Array, bool: Uint8Array }
  return Object.fromEntries(
    plan.outputs.map(({ name, step, dtype }) => [name, arrays[dtype].of(values[step] ?? Number.NaN)]),
  )
}

function kernel(set: StateSet, module: WebAssembly.Module): (...numbers: number[]) => number | undefined {
  const existing = set.kernels.get(module)
  if (existing) return existing
  const instance = new WebAssembly.Instance(module, { state: { memory: set.memory } })
  const run = instance.exports['run'] as (...numbers: number[]) => number | undefined
  set.kernels.set(module, run)
  return run
}
