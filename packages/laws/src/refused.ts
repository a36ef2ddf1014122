import { Violation } from './law.js'

/**
 * Throws a `Violation` unless the work is refused with an error that has a Collimate code: the given one, or any where none is
 * given.
 */
export async function refused(what: string, work: () => unknown, code?: `COLLIMATE_${string}`): Promise<void> {
  const wanted = code ?? 'an error with a code COLLIMATE_...'
  let value: unknown
  try {
    value = await work()
  } catch (error) {
    const found = codeOf(error)
    if (code === undefined ? found?.startsWith('COLLIMATE_') : found === code) return
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new Violation(`${what} is refused with ${found ?? 'an error without code'} (${text}); the law says ${wanted}`)
  }
  const reply = ['string', 'number', 'boolean'].includes(typeof value) ? ` with ${String(value)}` : ''
  throw new Violation(`${what} is accepted${reply}; the law says it is refused with ${wanted}`)
}

/** The stable code of an error, where it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
