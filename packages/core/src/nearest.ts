/** Edits between two words: insertions, deletions, substitutions, swaps of neighbours (Damerau 1964). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2][j - 2] + 1 : Infinity
      row.push(Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, substituted, swapped))
    }
    rows.push(row)
  }
  return rows[a.length][b.length]
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
