import type { Typed } from './types.js'

/** What is wrong with an expression or with the values given to it; `code` is stable, `hint` says what to do. */
export class GraphError extends Error {
  override readonly name = 'GraphError'
  readonly code: `COLLIMATE_GRAPH_${string}`
  readonly hint: string | undefined

  constructor(code: `COLLIMATE_GRAPH_${string}`, message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

/** `float[2,3]`. */
export function describe({ dtype, shape }: Typed): string {
  return `${dtype}[${shape.join(',')}]`
}

/** The error for operands whose shapes do not fit `op`. */
export function shapeError(op: string, inputs: readonly Typed[], why: string, hint?: string): GraphError {
  return new GraphError('COLLIMATE_GRAPH_SHAPE', `${op}(${inputs.map(describe).join(', ')}): ${why}`, hint)
}

/** Refuses operands whose dtype `op` does not take. */
export function requireDType(op: string, inputs: readonly Typed[], index: number, ...allowed: Typed['dtype'][]): void {
  if (allowed.includes(inputs[index].dtype)) return
  const which = inputs.length > 1 ? `operand ${index}` : 'the operand'
  throw new GraphError(
    'COLLIMATE_GRAPH_DTYPE',
    `${op}(${inputs.map(describe).join(', ')}): ${which} must be ${allowed.join(' or ')}`,
    'convert it with cast',
  )
}
