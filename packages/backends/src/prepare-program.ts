import { CollimateError, type Program, type StateId } from '@collimate/core'
import { checkProgram, decompose, GraphError, type OpName, type Program as GraphProgram } from '@collimate/graph'
import { checkStateType, type StateTypes } from './requests.js'

/** Which set holds each state that a program is compiled with as a constant. */
export type Frozen = ReadonlyMap<string, StateId>

/** The states that sets freeze: the first set that has a name wins. */
export function frozenStates(sets: readonly StateId[], typesOf: (id: StateId) => StateTypes): Frozen {
  const frozen = new Map<string, StateId>()
  for (const id of sets) for (const name of typesOf(id).keys()) if (!frozen.has(name)) frozen.set(name, id)
  return frozen
}

/** The program, checked. Refuses one that updates a frozen state, and frozen states of another type. */
export function checkedProgram(program: Program, frozen: Frozen, typesOf: (id: StateId) => StateTypes): GraphProgram {
  for (const { state } of program.updates) {
    if (!frozen.has(state)) continue
    throw new CollimateError('COLLIMATE_PROGRAM_INVALID', `${program.name} updates ${state}, which is frozen`, {
      hint: 'compile it without freezing the set that it updates',
    })
  }
  for (const input of program.inputs) {
    const id = input.role === 'state' ? frozen.get(input.name) : undefined
    if (id !== undefined) checkStateType(program, input, typesOf(id))
  }
  return graphErrors(() => checkProgram(program))
}

/** The program, checked, with nothing but ops that `keep` says yes to. */
export function prepareProgram(
  program: Program,
  frozen: Frozen,
  typesOf: (id: StateId) => StateTypes,
  keep: (op: OpName) => boolean,
): GraphProgram {
  const checked = checkedProgram(program, frozen, typesOf)
  return graphErrors(() => decompose(checked, keep))
}

/** Errors of the graph as errors of the contract. */
export function graphErrors<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof GraphError)) throw error
    throw new CollimateError(error.code, error.message, { hint: error.hint, cause: error })
  }
}
