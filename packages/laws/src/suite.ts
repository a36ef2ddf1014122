import type { Law } from './law.js'

/** The contracts that have laws. */
export type LawfulContract =
  | 'backend'
  | 'objective'
  | 'estimator'
  | 'reward'
  | 'policy'
  | 'trainer'
  | 'bus'
  | 'data'
  | 'evaluator'
  | 'tracker'
  | 'options'
  | 'mathematics'

/** A capability that the manifest does not claim, with the laws that are therefore not checked. */
export interface DeclaredUnsupported {
  readonly capability: string
  readonly laws: readonly string[]
}

/** The laws of one contract, bound to one implementation of it. */
export interface LawSuite {
  readonly contract: LawfulContract
  /** Name of what is checked, e.g. `dpo (sigmoid)`. */
  readonly subject: string
  readonly laws: readonly Law[]
  /** Names of what the manifest claims, as they were given to the suite. */
  readonly claims: readonly string[]
  readonly unsupported: readonly DeclaredUnsupported[]
  /** Claims of the manifest that no law of the contract checks: each is a failure. */
  readonly unproven: readonly string[]
  /** Frees what the laws share, such as a backend. */
  close(): Promise<void>
}

/** Claims as they stand in a plugin's manifest: true, a value or a non-empty list claims; false or absent does not. */
export type Claims = Readonly<Record<string, unknown>>

const claimed = (value: unknown): boolean =>
  value !== undefined && value !== false && value !== null && !(Array.isArray(value) && value.length === 0)

/**
 * Sorts the laws of a contract by what a manifest claims: laws without a capability always hold; a law with one is checked
 * where it is claimed and reported as declared unsupported where it is not; a claim without a law is unproven.
 * `descriptive` names the claims that describe rather than promise (e.g. `devices`).
 */
export function suiteOf(parts: {
  contract: LawfulContract
  subject: string
  laws: readonly Law[]
  claims?: Claims
  descriptive?: readonly string[]
  close?: () => Promise<void>
}): LawSuite {
  const { claims = {}, descriptive = [] } = parts
  const checks = parts.laws.filter(({ capability }) => capability === undefined || claimed(claims[capability]))
  const left = parts.laws.filter((law) => !checks.includes(law))
  const capabilities = [...new Set(left.map(({ capability }) => capability!))]
  const proven = new Set(checks.map(({ capability }) => capability))
  const made = Object.keys(claims).filter((claim) => claimed(claims[claim]))
  return {
    contract: parts.contract,
    subject: parts.subject,
    laws: checks,
    claims: made,
    unsupported: capabilities.map((capability) => ({
      capability,
      laws: left.filter((law) => law.capability === capability).map(({ name }) => name),
    })),
    unproven: made.filter((claim) => !proven.has(claim) && !descriptive.includes(claim)),
    close: parts.close ?? (async () => undefined),
  }
}
