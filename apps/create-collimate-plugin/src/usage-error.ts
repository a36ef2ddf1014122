/** What is wrong with what was asked for: shown in one line, without a stack. */
export class UsageError extends Error {
  override readonly name = 'CollimateError'

  constructor(
    readonly code: 'COLLIMATE_USAGE' | 'COLLIMATE_OUTPUT_OCCUPIED',
    message: string,
    readonly hint: string,
  ) {
    super(message)
  }
}
