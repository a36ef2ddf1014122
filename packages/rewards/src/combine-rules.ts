import { CollimateError } from '@collimate/core'
import type { Rule, RuleInput } from './rule.js'

/** What several rules say of several completions or steps. */
export interface Combined {
  /** [n] Σ weight · score over the rules that scored it; 0 where none did. */
  readonly totals: Float64Array
  /** [n] by name of the rule, not weighted; 0 where it did not score. */
  readonly parts: Readonly<Record<string, Float64Array>>
  /** [n] 1 where at least one rule scored. */
  readonly scored: Uint8Array
}

/**
 * Asks every rule about every input, all at once. A rule that says null adds nothing, as in TRL: the weights of the others
 * stay what they are.
 *
 * @param place says which input is meant, for errors, e.g. `rollout 3`
 * @throws CollimateError COLLIMATE_REWARD_NOT_FINITE, COLLIMATE_REWARD_RULE_FAILED, or the code of a rule's own error
 */
export async function combineRules(
  rules: readonly Rule[],
  inputs: readonly RuleInput[],
  place: (at: number) => string,
): Promise<Combined> {
  const said = await Promise.all(
    rules.map((rule) => Promise.all(inputs.map((input, at) => scoreOf(rule, input, place(at))))),
  )
  const totals = Float64Array.from(inputs, (input, at) => {
    const total = rules.reduce((sum, { weight }, number) => sum + weight * (said[number][at] ?? 0), 0)
    if (!Number.isFinite(total)) throw notFinite(`the rules give ${place(at)} ${total} together`, input)
    return total
  })
  const parts = rules.map(({ name }, number) => [name, Float64Array.from(said[number], (score) => score ?? 0)] as const)
  const scored = Uint8Array.from(inputs, (_, at) => Number(said.some((scores) => scores[at] !== null)))
  return { totals, parts: Object.fromEntries(parts), scored }
}

async function scoreOf({ name, score }: Rule, input: RuleInput, place: string): Promise<number | null> {
  let value: unknown
  try {
    value = await score(input)
  } catch (cause) {
    const known = cause instanceof CollimateError ? cause : undefined
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CollimateError(
      known?.code ?? 'COLLIMATE_REWARD_RULE_FAILED',
      `rule "${name}", ${place}, ${shown(input)}: ${message}`,
      { ...(known?.hint !== undefined && { hint: known.hint }), cause },
    )
  }
  if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value
  throw notFinite(`rule "${name}" gives ${place} ${describe(value)}`, input)
}

/** The error for a completion that no rule could score. */
export function unscored(place: string, input: Pick<RuleInput, 'completion'>): CollimateError {
  return new CollimateError('COLLIMATE_REWARD_UNSCORED', `no rule scores ${place}, ${shown(input)}`, {
    hint: 'every rule said null: give one that scores every row, or leave such rows out of the data',
  })
}

const notFinite = (problem: string, input: RuleInput): CollimateError =>
  new CollimateError('COLLIMATE_REWARD_NOT_FINITE', `${problem}: ${shown(input)}`, {
    hint: 'a rule returns a finite number, or null where it cannot say',
  })

const shown = ({ completion }: Pick<RuleInput, 'completion'>): string => JSON.stringify(completion.slice(0, 80))

const describe = (value: unknown): string =>
  typeof value === 'number' || value === undefined ? String(value) : `a ${typeof value}`
