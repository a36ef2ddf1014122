import type { Example } from '@collimate/core'

/** The example as plain text: the prompt belongs to each completion and is trained on like the rest. */
export function withoutPrompt(example: Example): Example {
  const { prompt, completions, masks } = example
  if (prompt.length === 0) return example
  return {
    ...example,
    prompt: new Int32Array(0),
    completions: completions.map((ids) => Int32Array.of(...prompt, ...ids)),
    ...(masks && { masks: masks.map((mask) => Uint8Array.of(...prompt.map(() => 1), ...mask)) }),
  }
}
