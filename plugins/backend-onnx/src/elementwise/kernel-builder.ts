import type { Attributes, DType } from '@collimate/core'
import { vectorOps, type Kernel, type KernelNode, type VectorOp } from './kernel.js'

const isVectorOp = (op: string): op is VectorOp => (vectorOps as readonly string[]).includes(op)

/** Collects the nodes of one kernel, and which buffers and numbers its pointers and scalars stand for. */
export class KernelBuilder {
  /** State buffers by pointer. */
  readonly states: string[] = []
  /** Steps of the plan by scalar. */
  readonly steps: number[] = []
  readonly #nodes: KernelNode[] = []
  readonly #stores: { node: number; pointer: number }[] = []
  readonly #known = new Map<string, number>()
  #sum: number | undefined

  static supports(op: string, attributes: Attributes): boolean {
    return (
      isVectorOp(op) || op === 'stopGradient' || (op === 'pow' && [2, 0.5].includes(attributes['exponent'] as number))
    )
  }

  load(state: string): number {
    return this.value(`load ${state}`, () => this.#push({ op: 'load', pointer: this.#pointer(state) }))
  }

  /** A number for all elements; a truth becomes a lane mask. */
  scalar(step: number, dtype: DType): number {
    return this.value(`scalar ${step} ${dtype}`, () => {
      const number = this.#push({ op: 'scalar', scalar: this.steps.push(step) - 1 })
      if (dtype !== 'bool') return number
      const zero = this.#push({ op: 'sub', inputs: [number, number] })
      return this.#push({ op: 'notEqual', inputs: [number, zero] })
    })
  }

  /** The node of a value, made once. */
  value(key: number | string, make: () => number): number {
    const known = this.#known.get(String(key))
    if (known !== undefined) return known
    const node = make()
    this.#known.set(String(key), node)
    return node
  }

  apply(op: string, attributes: Attributes, operands: readonly number[]): number {
    const [first = 0] = operands
    if (op === 'pow') return this.#push({ op: attributes['exponent'] === 2 ? 'square' : 'sqrt', inputs: [first] })
    return isVectorOp(op) ? this.#push({ op, inputs: operands }) : first
  }

  store(node: number, state: string): void {
    this.#stores.push({ node, pointer: this.#pointer(state) })
  }

  /** Adds up the elements of a node that depends on a buffer. */
  sum(node: number): void {
    this.#sum = node
  }

  finish(): Kernel {
    const { states, steps } = this
    return {
      pointers: states.length,
      scalars: steps.length,
      nodes: this.#nodes,
      stores: this.#stores,
      ...(this.#sum !== undefined && { sum: this.#sum }),
    }
  }

  #pointer(state: string): number {
    const known = this.states.indexOf(state)
    return known < 0 ? this.states.push(state) - 1 : known
  }

  #push(node: KernelNode): number {
    return this.#nodes.push(node) - 1
  }
}
