import type { Backend, Objective, ObjectiveUse } from '@collimate/core'
import type { Tensor } from '@collimate/graph'
import type { ModelFiles } from '@collimate/models'
import { createProgramCache } from './program-cache.js'
import type { ProgramCache } from './program-cache.js'

export interface EngineOptions {
  /** Rows decoded together where a request does not say. */
  readonly decodeBatchSize: number
  /** Build the weights into decoding programs where enough steps are expected. */
  readonly freezeDecoding: boolean
  /** What the loss is multiplied by before it is differentiated; default `auto`. */
  readonly lossScale?: 'auto' | number
  /** Memory that compiled programs may hold between runs, bytes, by estimate. */
  readonly programMemory: number
}

/** What a policy and its references share. */
export interface Engine {
  readonly backend: Backend
  /** The model; `weights` are those it was made of. */
  readonly files: ModelFiles
  readonly options: EngineOptions
  readonly programs: ProgramCache
  /** The objective of a name and options; the same one again for the same request. */
  objective(use: ObjectiveUse): Promise<Objective<Tensor>>
  /** Counts one more user; the programs are freed when each has called what it got. */
  open(): () => Promise<void>
}

export interface EngineRequest {
  readonly backend: Backend
  readonly files: ModelFiles
  readonly objective: (use: ObjectiveUse) => Promise<Objective>
  readonly options: EngineOptions
}

export function createEngine({ backend, files, objective, options }: EngineRequest): Engine {
  const programs = createProgramCache(backend, options.programMemory)
  const objectives = new Map<string, Promise<Objective<Tensor>>>()
  let users = 0
  return {
    backend,
    files,
    options,
    programs,

    objective(use) {
      const key = JSON.stringify(use)
      // Every objective is written for the one symbolic tensor type that there is; the contract leaves it open.
      const made = objectives.get(key) ?? (objective(use) as Promise<Objective<Tensor>>)
      objectives.set(key, made)
      made.catch(() => objectives.delete(key))
      return made
    },

    open() {
      users++
      let open = true
      return async () => {
        if (open && --users === 0) await programs.close()
        open = false
      }
    },
  }
}
