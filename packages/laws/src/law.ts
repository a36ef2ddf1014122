import type { Arbitrary } from 'fast-check'
import type { Group } from './groups.js'

/**
 * A law: a sentence about the mathematics that holds for every case, bound to what it is checked on. A value, so that it
 * can be listed, documented, run, replayed and shrunk. Made with `law`.
 */
export interface Law {
  /** `group/what`, unique within a suite, e.g. `bradley-terry/complement`. */
  readonly name: `${Group}/${string}`
  /** One sentence that a person can disagree with. */
  readonly statement: string
  /** The same as a formula in plain text. */
  readonly formula: string
  /** Paper and equation, or the issue of a peer that broke it. */
  readonly source: string
  /** The claim of a plugin's manifest that this law checks; absent where it holds for every plugin of the contract. */
  readonly capability?: string
  readonly arbitrary: Arbitrary<unknown>
  /** Resolves where the law holds for the case; throws (a `Violation`, or an assertion) where it does not. */
  readonly holds: (value: unknown) => void | Promise<void>
  /** The case in the field's terms (tokens, rewards, beta), for the failure message. */
  readonly show: (value: unknown) => string
  /** How many times dearer a case is than a formula: the number of runs is divided by it. Default 1. */
  readonly cost: number
}

/** What a law is written as; `Case` ties its parts together. */
export interface LawOf<Case> extends Omit<Law, 'arbitrary' | 'holds' | 'show' | 'cost'> {
  readonly arbitrary: Arbitrary<Case>
  readonly holds: (value: Case) => void | Promise<void>
  readonly show?: (value: Case) => string
  readonly cost?: number
}

/** A law from its typed parts. */
export function law<Case>(parts: LawOf<Case>): Law {
  const { arbitrary, holds, show, cost = 1, ...rest } = parts
  return {
    ...rest,
    arbitrary,
    holds: (value) => holds(value as Case),
    show: (value) => (show ? show(value as Case) : plain(value)),
    cost,
  }
}

/** Numbers as people write them, typed arrays as lists. */
function plain(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, part: unknown) => {
      if (ArrayBuffer.isView(part) && !(part instanceof DataView)) return [...(part as unknown as Iterable<number>)]
      if (typeof part === 'number' && !Number.isFinite(part)) return String(part)
      if (typeof part === 'bigint' || typeof part === 'function') return String(part)
      return part
    },
    1,
  ) as string | undefined
  return text === undefined ? String(value) : text.replace(/\n\s*/g, ' ')
}

/** Thrown by `holds`: what was expected, what was found. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** Throws unless |actual − expected| ≤ tolerance · max(1, |expected|); NaN never passes. */
export function near(actual: number, expected: number, tolerance: number, what = 'value'): void {
  const error = Math.abs(actual - expected)
  if (error <= tolerance * Math.max(1, Math.abs(expected)) || actual === expected) return
  throw new Violation(`${what} is ${actual}, the law says ${expected} (off by ${error.toExponential(2)})`)
}

/** Throws unless the condition holds. */
export function require(condition: boolean, message: string): void {
  if (!condition) throw new Violation(message)
}
