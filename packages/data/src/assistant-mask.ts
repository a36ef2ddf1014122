import { CollimateError } from '@collimate/core'
import type { ChatTemplate, RenderOptions, Span } from './chat-template.js'
import type { Message } from './messages.js'
import type { Tokenizer } from './tokenizer.js'

/**
 * The assistant's words in a rendered conversation: what the template marks with `{% generation %}`; where it marks nothing,
 * what each assistant message adds behind the conversation before it with the header of an answer.
 * COLLIMATE_TEMPLATE_NOT_INCREMENTAL where the template renders earlier messages differently once later ones follow.
 */
export function assistantSpans(
  template: ChatTemplate,
  messages: readonly Message[],
  options: RenderOptions = {},
): { readonly text: string; readonly spans: readonly Span[] } {
  const whole = template.renderWithSpans(messages, options)
  if (template.marksAssistant) return whole
  const spans = messages.flatMap((message, at) => {
    if (message.role !== 'assistant') return []
    const before = template.render(messages.slice(0, at), { ...options, addGenerationPrompt: true })
    const through = template.render(messages.slice(0, at + 1), { ...options, addGenerationPrompt: false })
    if (whole.text.startsWith(through) && through.startsWith(before))
      return [{ start: before.length, end: through.length }]
    throw new CollimateError(
      'COLLIMATE_TEMPLATE_NOT_INCREMENTAL',
      `the chat template renders message ${at + 1} differently within the conversation, so the assistant's words cannot be found`,
      { hint: 'mark them in the template with {% generation %}, or train on all tokens (assistantOnly: false)' },
    )
  })
  return { text: whole.text, spans }
}

/** For each token of a text, 1 where it holds a character of a span. The ids are those of the whole text. */
export function maskOfSpans(text: string, ids: Int32Array, spans: readonly Span[], tokenizer: Tokenizer): Uint8Array {
  const mask = new Uint8Array(ids.length)
  for (const { start, end } of spans) {
    if (end <= start) continue
    const first = tokenAt(text.slice(0, start), ids, tokenizer, false)
    const last = tokenAt(text.slice(0, end), ids, tokenizer, true)
    mask.fill(1, first, last)
  }
  return mask
}

/**
 * The number of whole tokens in a beginning of the text; where a token crosses the end of it, that token counts only with
 * `inclusive`. The tokenizer gives no offsets, so the beginning is encoded again and compared.
 */
function tokenAt(beginning: string, ids: Int32Array, tokenizer: Tokenizer, inclusive: boolean): number {
  const alone = tokenizer.encode(beginning)
  const common = commonPrefixLength(alone, ids)
  return inclusive && common < alone.length ? Math.min(common + 1, ids.length) : common
}

/** How many leading ids two lists share. */
export function commonPrefixLength(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[length] === b[length]) length += 1
  return length
}
