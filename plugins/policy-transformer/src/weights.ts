import type { Backend, HostTensor, Shape, StateId } from '@collimate/core'
import { firstMomentName, gradientName, secondMomentName } from '@collimate/models'

/** Weights that can be read: where they are now, and a name of their content that no other content ever has. */
export interface WeightSource {
  state(): StateId
  content(): string
}

/** Weights that do not change any more. */
export interface FrozenWeights extends WeightSource {
  release(): Promise<void>
}

/**
 * The weights of a policy on the backend.
 *
 * They begin as a set of their own. The first change of training moves them into a set with gradients and moments, laid
 * out side by side. Frozen weights borrow the policy's set and get a copy only when the policy is about to change.
 */
export interface WeightStore extends WeightSource {
  readonly names: readonly string[]
  readonly shapes: Readonly<Record<string, Shape>>
  /** The set with weights, gradients and moments, made at the first call. No frozen weights depend on it afterwards. */
  trainingState(): Promise<StateId>
  hasTrainingState(): boolean
  /** Makes the present set one that may be written: frozen weights that borrow it get their copy. */
  detach(): Promise<void>
  /** To be called after every change. */
  changed(): void
  freeze(): FrozenWeights
  read(): Promise<Record<string, HostTensor>>
  release(): Promise<void>
}

interface Loan {
  state: StateId
  owned: boolean
  users: number
}

let contents = 0
const newContent = () => `weights ${++contents}`

export async function createWeightStore(
  backend: Backend,
  weights: Readonly<Record<string, HostTensor>>,
): Promise<WeightStore> {
  const names = Object.keys(weights)
  let state = await backend.state({ tensors: weights })
  let training = false
  let content = newContent()
  let loan: Loan | undefined

  async function detach(): Promise<void> {
    const borrower = loan
    loan = undefined
    if (borrower === undefined || borrower.users === 0) return
    borrower.state = await backend.copy({ state, names })
    borrower.owned = true
    if (borrower.users === 0) await backend.release({ id: borrower.state })
  }

  /** Gives the set to those who borrow it, or frees it where nobody does. */
  async function abandon(): Promise<void> {
    const borrower = loan
    loan = undefined
    if (borrower !== undefined && borrower.users > 0) borrower.owned = true
    else await backend.release({ id: state })
  }

  return {
    names,
    shapes: Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape])),
    state: () => state,
    content: () => content,
    hasTrainingState: () => training,
    detach,

    async trainingState() {
      if (training) {
        await detach()
        return state
      }
      const values = await backend.read({ state, names })
      const empty = (prefixed: (name: string) => string) =>
        Object.fromEntries(Object.entries(values).map(([name, { dtype, shape }]) => [prefixed(name), { dtype, shape }]))
      const next = await backend.state({
        tensors: { ...values, ...empty(gradientName), ...empty(firstMomentName), ...empty(secondMomentName) },
      })
      await abandon()
      state = next
      training = true
      return state
    },

    changed() {
      content = newContent()
    },

    freeze() {
      const shared = (loan ??= { state, owned: false, users: 0 })
      const frozenContent = content
      let released = false
      shared.users++
      return {
        state: () => shared.state,
        content: () => frozenContent,
        async release() {
          if (released) return
          released = true
          if (--shared.users === 0 && shared.owned) await backend.release({ id: shared.state })
        },
      }
    },

    read: () => backend.read({ state, names }),

    async release() {
      if (training) {
        await detach()
        await backend.release({ id: state })
      } else await abandon()
    },
  }
}
