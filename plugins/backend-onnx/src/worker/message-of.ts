/** What an error says, without the place in ONNX Runtime's own source that comes first in some. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^\S*onnxruntime_src\S+ .*? was false\. /s, '').trim()
}
