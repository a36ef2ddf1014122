import { type Frozen, prepareProgram, type StateTypes } from '@collimate/backends'
import { CollimateError, type Program, type StateId } from '@collimate/core'
import type { OpName } from '@collimate/graph'
import type { CompiledProgram, IndexCheck, KernelCall, Slot, Step } from './compiled.js'
import type { Provider } from './devices.js'
import { KernelBuilder, type Value } from './kernel-builder.js'
import { loweringOf } from './lowering/table.js'

/** Makes of a program the list of kernel calls that the worker runs. */
export function compileProgram(
  program: Program,
  frozen: Frozen,
  typesOf: (id: StateId) => StateTypes,
  provider: Provider,
): CompiledProgram {
  const kept = prepareProgram(program, frozen, typesOf, (op) => loweringOf(op, provider) !== undefined)
  const kernels = new KernelBuilder(provider)
  const values: Value[] = kept.inputs.map((input) => kernels.input(input))
  for (const { op, inputs, attributes, dtype, shape } of kept.nodes) {
    const lowering = loweringOf(op as OpName, provider)
    if (!lowering) throw new CollimateError('COLLIMATE_PROGRAM_INVALID', `${program.name}: ${op} was not decomposed`)
    const operands = inputs.map((operand) => values[operand] as Value)
    values.push({ ...lowering(kernels, operands, attributes, { dtype, shape }), dtype, shape })
  }
  const slotOf = (value: number): Slot => (values[value] as Value).slot
  const outputs = kept.outputs.map(({ name, value }) => ({ name, slot: slotOf(value) }))
  const updates = kept.updates.map(({ state, value, at }) => ({ state, slot: slotOf(value), ...(at && { at }) }))

  const calls = needed(
    kernels.calls,
    [...outputs, ...updates].map(({ slot }) => slot),
  )
  const used = new Set([
    ...calls.flatMap(slotsOf),
    ...outputs.map(({ slot }) => slot),
    ...updates.map(({ slot }) => slot),
  ])
  const constants = kernels.constants.filter(({ slot }) => used.has(slot))
  const frozenInputs = kept.inputs.flatMap(({ role, name }, number) => {
    const state = role === 'state' ? frozen.get(name) : undefined
    return state !== undefined && used.has(number) ? [{ slot: number, state, name }] : []
  })
  const inputs = kept.inputs.flatMap((input, slot) =>
    used.has(slot) && !(input.role === 'state' && frozen.has(input.name)) ? [{ ...input, slot }] : [],
  )

  const fixed = new Set([...constants, ...frozenInputs].map(({ slot }) => slot))
  const setup = fixedCalls(calls, fixed)
  const steps = calls.filter((call) => !setup.includes(call))
  const results = [...outputs, ...updates].map(({ slot }) => slot)
  const later = new Set([...steps.flatMap(slotsOf), ...results])
  return {
    name: program.name,
    slots: kernels.slots,
    inputs,
    constants,
    frozen: frozenInputs,
    setup: freeing(setup, later, new Set()),
    steps: freeing(steps, new Set(results), fixed),
    outputs,
    updates,
  }
}

const slotsOf = (call: KernelCall | IndexCheck): Slot[] => ('check' in call ? [call.check] : Object.values(call.inputs))

/** The calls that results depend on. Checks stay: what they refuse must be refused. */
function needed(calls: readonly (KernelCall | IndexCheck)[], results: readonly Slot[]): (KernelCall | IndexCheck)[] {
  const wanted = new Set(results)
  const kept: (KernelCall | IndexCheck)[] = []
  for (const call of [...calls].reverse()) {
    if ('output' in call && !wanted.has(call.output)) continue
    kept.push(call)
    for (const slot of slotsOf(call)) wanted.add(slot)
  }
  return kept.reverse()
}

/** Calls that depend on constants alone; their results are added to `fixed`. One without operands is made again: it only fills. */
function fixedCalls(calls: readonly (KernelCall | IndexCheck)[], fixed: Set<Slot>): (KernelCall | IndexCheck)[] {
  return calls.filter((call) => {
    const operands = slotsOf(call)
    if (operands.length === 0 || !operands.every((slot) => fixed.has(slot))) return false
    if ('output' in call) fixed.add(call.output)
    return true
  })
}

/** Adds to each step what nobody needs after it; `kept` and `lasting` are not freed. */
function freeing(
  calls: readonly (KernelCall | IndexCheck)[],
  kept: ReadonlySet<Slot>,
  lasting: ReadonlySet<Slot>,
): Step[] {
  const last = new Map<Slot, number>()
  calls.forEach((call, index) => {
    for (const slot of slotsOf(call)) last.set(slot, index)
    if ('output' in call) last.set(call.output, index)
  })
  const frees = calls.map((): Slot[] => [])
  for (const [slot, index] of last) if (!kept.has(slot) && !lasting.has(slot)) frees[index]?.push(slot)
  return calls.map((call, index) => ({ ...call, frees: frees[index] ?? [] }))
}
