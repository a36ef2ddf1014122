/**
 * Steps of so many tokens each; the last may have fewer.
 *
 * @param length tokens of the completion
 */
export function endsByCount(length: number, tokens: number): Int32Array {
  return Int32Array.from({ length: Math.ceil(length / tokens) }, (_, step) => Math.min(length, (step + 1) * tokens) - 1)
}

/**
 * Steps that end with a delimiter: each at the token that completes it. A step has something to say beside delimiters and
 * white space: blank lines belong to the step behind them, blank or unsaid tokens at the end of the completion (such as the
 * end token) to none. What follows the last delimiter is a step that ends with the completion; a completion that says nothing
 * is one step. Where a step ends depends on nothing behind it, but for the last.
 *
 * @param written text that each token adds, special tokens included
 * @param said the same without special tokens
 */
export function endsByDelimiter(written: readonly string[], said: readonly string[], delimiter: string): Int32Array {
  const ends: number[] = []
  const isBlank = (text: string): boolean => text.replaceAll(delimiter, '').trim() === ''
  /** What was said since the last end, and what was written from the first word of it on. */
  let [step, body] = ['', '']
  written.forEach((text, token) => {
    step += said[token]
    if (body !== '') body += text
    else if (!isBlank(step)) body = fromFirstWord(text, delimiter)
    if (!body.includes(delimiter)) return
    if (!isBlank(step)) ends.push(token)
    step = body = ''
  })
  if (!isBlank(step) || (ends.length === 0 && written.length > 0)) ends.push(written.length - 1)
  return Int32Array.from(ends)
}

function fromFirstWord(text: string, delimiter: string): string {
  const trimmed = text.trimStart()
  return trimmed.startsWith(delimiter) ? fromFirstWord(trimmed.slice(delimiter.length), delimiter) : trimmed
}
