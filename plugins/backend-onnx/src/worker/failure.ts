/** A coded error on its way to the client, which makes a `CollimateError` of it: the worker imports no package of ours. */
export class Failure extends Error {
  constructor(
    readonly code: `COLLIMATE_${string}`,
    message: string,
    readonly hint?: string,
  ) {
    super(message)
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
