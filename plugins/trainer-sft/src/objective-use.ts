import { CollimateError } from '@collimate/core'
import type { Objective, ObjectiveUse } from '@collimate/core'
import type { SftOptions } from './options.js'

/** The objective that the options name, as the policy is asked for it. */
export function objectiveUse({ objective }: Pick<SftOptions, 'objective'>): ObjectiveUse {
  if (typeof objective === 'string') return { use: objective, options: {} }
  const { use, ...options } = objective
  return { use, options }
}

/** Refuses an objective that needs more than completions give (COLLIMATE_OPTION_INVALID). */
export function checkObjective({ name, inputs }: Pick<Objective, 'name' | 'inputs'>): void {
  const needed = Object.keys(inputs)
  if (needed.length === 0) return
  throw new CollimateError(
    'COLLIMATE_OPTION_INVALID',
    `trainer "sft": objective "${name}" needs ${needed.join(', ')}, which supervised fine-tuning does not have`,
    { hint: 'choose an objective without inputs, or the trainer that it was written for' },
  )
}
