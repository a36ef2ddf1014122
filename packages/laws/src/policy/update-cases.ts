import type { HostTensor, ModelSnapshot, UpdateRequest } from '@collimate/core'
import { batchOf, examplesOf, type Tree } from './cases.js'
import { descent, type Opened } from './subject.js'

/** An update on some trees that moves the weights noticeably. */
export function updateOn(
  given: readonly Tree[],
  { about, objectives }: Opened,
  more: Partial<UpdateRequest> = {},
): UpdateRequest {
  return { ...descent, objective: objectives.weighted, batches: [batchOf(examplesOf(given, about))], ...more }
}

/** A snapshot whose arrays nobody else has. */
export function copyOf(snapshot: ModelSnapshot): ModelSnapshot {
  const copy = ({ data, ...rest }: HostTensor): HostTensor => ({ ...rest, data: data.slice() })
  return {
    ...snapshot,
    tensors: Object.fromEntries(Object.entries(snapshot.tensors).map(([name, tensor]) => [name, copy(tensor)])),
  }
}
