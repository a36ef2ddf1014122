import { CollimateError, type Program, type TensorData } from '@collimate/core'

/** A feed whose values point into an axis of `length`. */
export interface IndexFeed {
  readonly feed: string
  readonly op: string
  readonly length: number
}

/** Ops that move the values of an index and change none. */
const moving = new Set(['reshape', 'transpose', 'broadcastTo'])

/** The feed that a value comes from unchanged, for each value of the program that has one. */
export function feedOrigins({ inputs, nodes }: Program): (string | undefined)[] {
  const origins = inputs.map(({ role, name }) => (role === 'feed' ? name : undefined))
  for (const { op, inputs: operands } of nodes) {
    const [first = -1] = operands
    origins.push(moving.has(op) ? origins[first] : undefined)
  }
  return origins
}

/** The feeds that a program uses as indices. Indices that it computes are not among them. */
export function indexFeeds(program: Program): IndexFeed[] {
  const origins = feedOrigins(program)
  const shapes = [...program.inputs, ...program.nodes].map(({ shape }) => shape)
  return program.nodes.flatMap(({ op, inputs: [table = -1, index = -1], attributes }) => {
    if (op !== 'gather' && op !== 'takeAlong' && op !== 'scatterAdd') return []
    const feed = origins[index]
    if (feed === undefined) return []
    return [{ feed, op, length: shapes[table]?.[Number((attributes as { axis?: number }).axis)] ?? 0 }]
  })
}

/**
 * Refuses an index outside of its table, as the kernels of the CPU do: those of a GPU read whatever lies there. A negative
 * one counts from the end.
 */
export function checkIndices(name: string, indices: readonly IndexFeed[], feeds: Readonly<Record<string, TensorData>>) {
  for (const { feed, op, length } of indices) {
    const wrong = feeds[feed]?.find((value: number) => value < -length || value >= length)
    if (wrong === undefined) continue
    throw new CollimateError('COLLIMATE_GRAPH_INDEX', `${name}: ${op} at ${feed} = ${wrong} of a table of ${length}`, {
      hint: 'look for a token id beyond the vocabulary',
    })
  }
}
