/** A prompt with its completions and their masks, as token ids. */
export interface TokenParts {
  readonly prompt: Int32Array
  readonly completions: readonly Int32Array[]
  readonly masks?: readonly Uint8Array[]
}

/** Tokens of the prompt with the longest of its completions. */
export const longestOf = ({ prompt, completions }: TokenParts): number =>
  prompt.length + Math.max(0, ...completions.map((completion) => completion.length))

/**
 * Cuts prompt + completion to at most `maxLength` tokens each. `keep_start` cuts the ends of the completions (and of the
 * prompt, where it fills the length by itself). `keep_end` cuts the beginning of the prompt, by as much as the longest
 * completion needs, so that all completions keep one prompt, and then the beginnings of completions longer than `maxLength`.
 */
export function truncate<Parts extends TokenParts>(
  parts: Parts,
  maxLength: number | null,
  mode: 'keep_start' | 'keep_end',
): Parts {
  const { prompt, completions, masks } = parts
  if (maxLength === null || longestOf(parts) <= maxLength) return parts
  if (mode === 'keep_start') {
    const room = Math.max(0, maxLength - prompt.length)
    return {
      ...parts,
      prompt: prompt.slice(0, maxLength),
      completions: completions.map((completion) => completion.slice(0, room)),
      ...(masks && { masks: masks.map((mask) => mask.slice(0, room)) }),
    }
  }
  const room = Math.max(0, maxLength - (longestOf(parts) - prompt.length))
  const last = <Ids extends Int32Array | Uint8Array>(ids: Ids, count: number): Ids =>
    ids.slice(Math.max(0, ids.length - count)) as Ids
  return {
    ...parts,
    prompt: last(prompt, room),
    completions: completions.map((completion) => last(completion, maxLength)),
    ...(masks && { masks: masks.map((mask) => last(mask, maxLength)) }),
  }
}
