import {
  equal,
  gather,
  input,
  iota,
  maximum,
  minimum,
  type Program,
  program,
  reshape,
  sub,
  type Tensor,
  tensorsOf,
  where,
} from '@collimate/graph'

/**
 * The program with updates of rows (`at`) as updates of the whole buffer, for the states that `whole` says yes to. They read
 * the old buffer, and `start` must be in its range. A program without such updates is given back as it is.
 */
export function wholeUpdates(original: Program, whole: (state: Tensor) => boolean): Program {
  const tensors = tensorsOf(original)
  const valueOf = ({ value }: { readonly value: number }) => tensors[value] as Tensor
  const stateOf = ({ state }: { readonly state: string }) =>
    tensors[original.inputs.findIndex(({ role, name }) => role === 'state' && name === state)] as Tensor
  if (!original.updates.some((update) => update.at && whole(stateOf(update)))) return original

  const placesOf = placesByLength()
  return program({
    name: original.name,
    outputs: Object.fromEntries(original.outputs.map((output) => [output.name, valueOf(output)])),
    updates: original.updates.map((update) => {
      const [state, value] = [stateOf(update), valueOf(update)]
      if (!update.at) return { state, value }
      const { axis } = update.at
      const start = input(update.at.start, [], 'int')
      if (!whole(state)) return { state, value, at: { axis, start } }
      return { state, value: withRows(state, value, axis, start, placesOf(state.shape[axis] ?? 0)) }
    }),
  })
}

/** The buffer with `rows` in it from `start` on along `axis`, whose places are numbered by `places`. */
function withRows(buffer: Tensor, rows: Tensor, axis: number, start: Tensor, places: Tensor): Tensor {
  const length = rows.shape[axis] ?? 0
  // All of it, or nothing: no other `start` is in range.
  if (length === buffer.shape[axis]) return rows
  if (length === 0) return buffer
  const along = buffer.shape.map((size, d) => (d === axis ? size : 1))
  const choose = (inside: Tensor, taken: Tensor) => where(reshape(inside, along), taken, buffer)
  // One row, as decoding writes it at each step, is repeated rather than gathered.
  if (length === 1) return choose(equal(places, start), rows)
  const row = sub(places, start)
  const nearest = minimum(maximum(row, 0), length - 1)
  return choose(equal(row, nearest), gather(rows, nearest, axis))
}

/** 0 .. length − 1, one tensor for each length: what updates at one place have in common merges. */
function placesByLength(): (length: number) => Tensor {
  const known = new Map<number, Tensor>()
  return (length) => {
    const places = known.get(length) ?? iota(length)
    known.set(length, places)
    return places
  }
}
