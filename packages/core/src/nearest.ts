/** Edits between two words: insertions, deletions, substitutions (Levenshtein 1966). */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(previous[j] + 1, row[j - 1] + 1, substituted))
    }
    previous = row
  }
  return previous[b.length]
}

/** The candidate that was probably meant, if one is near enough; spelling of case, `-` and `_` does not count. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_]/g, '')
  let best: { candidate: string; edits: number } | undefined
  for (const candidate of candidates) {
    const edits = distance(plain(word), plain(candidate))
    if (edits <= Math.max(1, Math.floor(word.length / 3)) && (best === undefined || edits < best.edits))
      best = { candidate, edits }
  }
  return best?.candidate
}

/** One sentence for a hint: `did you mean "beta"?`, or what there is. */
export function suggestion(word: string, candidates: readonly string[], what: string): string {
  const near = nearest(word, candidates)
  if (near !== undefined) return `did you mean "${near}"?`
  return candidates.length > 0 ? `${what}: ${candidates.join(', ')}` : `there is no ${what}`
}
