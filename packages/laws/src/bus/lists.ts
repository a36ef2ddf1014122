import { Violation } from '../law.js'

/** Throws unless two lists are equal. */
export function sameList(what: string, actual: readonly unknown[], expected: readonly unknown[]): void {
  if (actual.length === expected.length && actual.every((value, i) => Object.is(value, expected[i]))) return
  throw new Violation(`${what}: [${actual.map(String).join(', ')}], the law says [${expected.map(String).join(', ')}]`)
}

/** Resolves when all promises that are ready have had their turn. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
