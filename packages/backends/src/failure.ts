/** A coded error on its way to the client, which makes a `CollimateError` of it: the worker need not load core. */
export class Failure extends Error {
  constructor(
    readonly code: `COLLIMATE_${string}`,
    message: string,
    readonly hint?: string,
  ) {
    super(message)
  }
}
