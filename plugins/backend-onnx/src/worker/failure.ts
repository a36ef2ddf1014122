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

/** What an error says, without the place in ONNX Runtime's own source that comes first in some. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^\S*onnxruntime_src\S+ .*? was false\. /s, '').trim()
}
