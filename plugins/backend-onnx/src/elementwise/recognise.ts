import type { DType, Program, ProgramNode } from '@collimate/core'
import { sameShape, sizeOf } from '@collimate/graph'
import { KernelBuilder } from './kernel-builder.js'
import type { ElementwisePlan, Pass, ScalarStep } from './plan.js'
import { isScalarOp } from './scalar.js'
import { encodeKernel } from './wasm.js'
import type { Kernel } from './kernel.js'

/** Thrown inside this module where a program is not of the kind; never leaves it. */
class NotElementwise extends Error {}

/** What a value is to a plan: one number, or elements of state buffers of one size. */
type Kind = { readonly step: number } | { readonly size: number; readonly states: ReadonlySet<string> }

/**
 * The plan of a program that does nothing but element-wise arithmetic on float state buffers, arithmetic on single
 * numbers, and sums of the former over all elements, which give numbers again: optimiser steps, gradient norms, moving
 * averages. Undefined for every other program.
 */
export function planElementwise(program: Program): ElementwisePlan | undefined {
  if (program.updates.some(({ at }) => at !== undefined)) return undefined
  try {
    return new Recogniser(program).plan()
  } catch (error) {
    if (error instanceof NotElementwise) return undefined
    throw error
  }
}

class Recogniser {
  readonly #program: Program
  readonly #kinds: (Kind | undefined)[] = []
  readonly #steps: ScalarStep[] = []
  readonly #modules = new Map<string, { readonly number: number; readonly bytes: Uint8Array<ArrayBuffer> }>()

  constructor(program: Program) {
    this.#program = program
  }

  plan(): ElementwisePlan {
    const { outputs, updates } = this.#program
    const isNumber = ({ value }: { readonly value: number }) => 'step' in this.#kind(value)
    const returned = outputs.map(({ name, value }) => ({
      name,
      step: this.#step(value),
      dtype: this.#type(value).dtype,
    }))
    const numbers = updates.filter(isNumber).map(({ state, value }) => ({ state, step: this.#step(value) }))
    const buffers = updates.filter((update) => !isNumber(update))
    const passes = groups(buffers.map((update) => ({ ...update, reads: this.#states(update.value) }))).map((group) =>
      this.#pass((kernel) => {
        for (const { state, value } of group) kernel.store(this.#node(kernel, value), state)
        return group[0]?.value ?? 0
      }),
    )
    const sums = this.#steps.flatMap((step) => (step.op === 'reduce' ? [step.pass] : []))
    if (passes.length + sums.length + numbers.length === 0) throw new NotElementwise()
    return {
      modules: [...this.#modules.values()].map(({ bytes }) => bytes),
      steps: this.#steps,
      passes,
      updates: numbers,
      outputs: returned,
      together: [...passes, ...sums].map(({ states }) => states),
    }
  }

  /** Classifies a value; numbers get their step. */
  #kind(value: number): Kind {
    return (this.#kinds[value] ??= this.#classify(value))
  }

  #classify(value: number): Kind {
    const { shape, dtype } = this.#type(value)
    const size = sizeOf(shape)
    const input = this.#program.inputs[value]
    if (input) {
      if (size === 1) return { step: this.#push({ op: input.role, name: input.name }) }
      if (input.role === 'feed' || dtype !== 'float' || size === 0) throw new NotElementwise()
      return { size, states: new Set([input.name]) }
    }
    const node = this.#nodeOf(value)
    if (size === 1) return { step: this.#push(this.#scalarStep(node)) }
    return { size, states: this.#elements(node, size) }
  }

  /** The step that computes a single number. */
  #scalarStep(node: ProgramNode): ScalarStep {
    const { op, inputs, attributes, dtype } = node
    if (op === 'constant') return { op, value: Number((attributes['data'] as ArrayLike<number>)[0]) }
    if (op === 'sum') {
      const [summed = 0] = inputs
      if (!('step' in this.#kind(summed))) return { op: 'reduce', pass: this.#sum(summed) }
    }
    const numbers = inputs.map((input) => this.#step(input))
    if (passesOn.has(op)) return { op: 'cast', inputs: numbers, dtype }
    if (!isScalarOp(op)) throw new NotElementwise()
    return { op, inputs: numbers, dtype, ...(op === 'pow' && { exponent: attributes['exponent'] as number }) }
  }

  /** The state buffers that an element-wise node depends on. */
  #elements({ op, inputs, attributes, shape, dtype }: ProgramNode, size: number): ReadonlySet<string> {
    const supported = KernelBuilder.supports(op, attributes) || op === 'broadcastTo' || op === 'reshape'
    if (!supported || dtype === 'int') throw new NotElementwise()
    const states = new Set<string>()
    for (const input of inputs) {
      const kind = this.#kind(input)
      if ('step' in kind) continue
      // Elements meet at equal places only where no operand is repeated.
      const aligned =
        kind.size === size && (op === 'reshape' || sameShape(squeeze(this.#type(input).shape), squeeze(shape)))
      if (!aligned) throw new NotElementwise()
      for (const state of kind.states) states.add(state)
    }
    return states
  }

  #sum(value: number): Pass {
    return this.#pass((kernel) => {
      kernel.sum(this.#node(kernel, value))
      return value
    })
  }

  /** A pass whose kernel is filled by `build`, which returns a value of the size that it runs over. */
  #pass(build: (kernel: KernelBuilder) => number): Pass {
    const builder = new KernelBuilder()
    const { shape, dtype } = this.#type(build(builder))
    if (builder.states.length === 0 || dtype !== 'float') throw new NotElementwise()
    return {
      module: this.#module(builder.finish()),
      count: sizeOf(shape),
      states: builder.states,
      scalars: builder.steps,
    }
  }

  #module(kernel: Kernel): number {
    const key = JSON.stringify(kernel)
    const known = this.#modules.get(key)
    if (known) return known.number
    const number = this.#modules.size
    this.#modules.set(key, { number, bytes: encodeKernel(kernel) })
    return number
  }

  /** The kernel's node for a value. */
  #node(kernel: KernelBuilder, value: number): number {
    const kind = this.#kind(value)
    if ('step' in kind) return kernel.scalar(kind.step, this.#type(value).dtype)
    const input = this.#program.inputs[value]
    if (input) return kernel.load(input.name)
    return kernel.value(value, () => {
      const { op, inputs, attributes } = this.#nodeOf(value)
      const operands = inputs.map((operand) => this.#node(kernel, operand))
      return kernel.apply(op, attributes, operands)
    })
  }

  #push(step: ScalarStep): number {
    this.#steps.push(step)
    return this.#steps.length - 1
  }

  #step(value: number): number {
    const kind = this.#kind(value)
    if ('step' in kind) return kind.step
    throw new NotElementwise()
  }

  #states(value: number): ReadonlySet<string> {
    const kind = this.#kind(value)
    return 'step' in kind ? new Set() : kind.states
  }

  #type(value: number): { readonly dtype: DType; readonly shape: readonly number[] } {
    return this.#program.inputs[value] ?? this.#nodeOf(value)
  }

  #nodeOf(value: number): ProgramNode {
    const node = this.#program.nodes[value - this.#program.inputs.length]
    if (!node) throw new NotElementwise()
    return node
  }
}

/** Ops that do not change a single number. */
const passesOn = new Set(['reshape', 'broadcastTo', 'transpose', 'sum', 'max', 'stopGradient', 'slice'])

const squeeze = (shape: readonly number[]): number[] => shape.filter((length) => length !== 1)

/** Updates that must happen in one pass: where one stores what another one reads. */
function groups<Update extends { readonly state: string; readonly reads: ReadonlySet<string> }>(
  updates: readonly Update[],
): Update[][] {
  const result: Update[][] = []
  for (const update of updates) {
    const touches = (other: Update) => other.reads.has(update.state) || update.reads.has(other.state)
    const joined = result.filter((group) => group.some(touches))
    for (const group of joined) result.splice(result.indexOf(group), 1)
    result.push([...joined.flat(), update])
  }
  return result
}
