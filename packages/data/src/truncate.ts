/** A prompt with its completions, their masks and labels, as token ids. */
export interface TokenParts {
  readonly prompt: Int32Array
  readonly completions: readonly Int32Array[]
  readonly masks?: readonly Uint8Array[]
  readonly labels?: readonly Int32Array[]
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
  const { prompt, completions, masks, labels } = parts
  if (maxLength === null || longestOf(parts) <= maxLength) return parts
  const first = <Ids extends Int32Array | Uint8Array>(ids: Ids, count: number): Ids => ids.slice(0, count) as Ids
  const last = <Ids extends Int32Array | Uint8Array>(ids: Ids, count: number): Ids =>
    ids.slice(Math.max(0, ids.length - count)) as Ids
  const [kept, room, most] =
    mode === 'keep_start'
      ? [first, maxLength, Math.max(0, maxLength - prompt.length)]
      : [last, Math.max(0, maxLength - (longestOf(parts) - prompt.length)), maxLength]
  return {
    ...parts,
    prompt: kept(prompt, room),
    completions: completions.map((completion) => kept(completion, most)),
    ...(masks && { masks: masks.map((mask) => kept(mask, most)) }),
    ...(labels && { labels: labels.map((own) => kept(own, most)) }),
  }
}
