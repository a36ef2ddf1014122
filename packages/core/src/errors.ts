/**
 * The one error type that Collimate throws on purpose.
 *
 * A person reads `message` (what is wrong and where: file, line, field) and `hint` (what to do); a program reads `code`,
 * which is stable between major versions. Anything else that escapes is a defect of ours.
 */
export class CollimateError extends Error {
  override readonly name = 'CollimateError'
  /** Stable identifier, `COLLIMATE_` followed by what is wrong; listed with its meaning in docs/errors.md. */
  readonly code: `COLLIMATE_${string}`
  /** What the reader can do about it, one sentence; absent where nothing helps. */
  readonly hint: string | undefined

  constructor(code: `COLLIMATE_${string}`, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }

  /**
   * By shape: an error with a code of ours. A plugin that is loaded as TypeScript, or installed elsewhere, brings its own
   * copy of this class, and `@collimate/graph`, which imports nothing, has an error type of the same shape.
   */
  static override [Symbol.hasInstance](value: unknown): value is CollimateError {
    return value instanceof Error && 'code' in value && String(value.code).startsWith('COLLIMATE_')
  }
}

/** The error as one line for a terminal: `code: message (hint)`. */
export function errorLine(error: unknown): string {
  if (error instanceof CollimateError) return `${error.code}: ${error.message}${error.hint ? ` (${error.hint})` : ''}`
  return `COLLIMATE_UNEXPECTED: ${error instanceof Error ? error.message : String(error)}`
}
