/** What stands before the final answer in GSM8K. */
export const GSM8K_MARK = '####'

/** The rest of the line behind the last mark, or the whole text where there is none; trimmed. */
export function finalAnswer(text: string, mark: string): string {
  const at = mark === '' ? -1 : text.lastIndexOf(mark)
  if (at === -1) return text.trim()
  return text
    .slice(at + mark.length)
    .split('\n', 1)[0]
    .trim()
}
