import { Template } from '@huggingface/jinja'
import { CollimateError } from '@collimate/core'
import type { Message } from './messages.js'

export interface RenderOptions {
  /** End with the header of an assistant's answer. */
  readonly addGenerationPrompt?: boolean
  /** Leave the last message open, to be continued. */
  readonly continueFinalMessage?: boolean
  /** JSON schemas of tools, as the template reads them. */
  readonly tools?: readonly unknown[] | undefined
  /** Further variables of the template, e.g. `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined
}

/** Part of a text, in UTF-16 units, the end excluded. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A model's chat template, rendered as transformers does. */
export interface ChatTemplate {
  /** Whether it marks the assistant's words with `{% generation %}`. */
  readonly marksAssistant: boolean
  /** Conversation to text. COLLIMATE_TEMPLATE_REFUSED where the template refuses the conversation or cannot render it. */
  render(messages: readonly Message[], options?: RenderOptions): string
  /** The text with the parts that stand between `{% generation %}` and `{% endgeneration %}`. */
  renderWithSpans(
    messages: readonly Message[],
    options?: RenderOptions,
  ): { readonly text: string; readonly spans: readonly Span[] }
}

// Noncharacters of Unicode, "for internal use": they mark the assistant's words while a template renders.
const OPEN = '\ufdd0'
const CLOSE = '\ufdd1'
const CONTINUE = 'CONTINUE_FINAL_MESSAGE_TAG '
const GENERATION = /\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}/g

/**
 * Parses a chat template; `specialTokens` (`bos_token`, `eos_token`, ...) are variables of it. COLLIMATE_TEMPLATE_INVALID
 * where it is not Jinja that the engine knows. Rendering follows transformers' `apply_chat_template`: blocks are trimmed,
 * `tojson` writes spaces and no HTML escapes, `raise_exception` and `strftime_now` are there.
 */
export function chatTemplate(source: string, specialTokens: Readonly<Record<string, string>> = {}): ChatTemplate {
  const marksAssistant = source.search(GENERATION) !== -1
  // Two tags, so that whitespace control works on both sides of the mark as it does on both sides of the original tag.
  const marked = source.replace(GENERATION, (_, before: string, end: string | undefined, after: string) => {
    return `{%${before} if true %}{{ '${end ? CLOSE : OPEN}' }}{% endif ${after}%}`
  })
  const template = parse(marked)

  const renderMarked = (messages: readonly Message[], options: RenderOptions): string => {
    const chat = messages.map(withReasoning)
    const last = chat.at(-1)
    if (options.continueFinalMessage) {
      if (typeof last?.content !== 'string') throw refused('the last message has no text to continue')
      chat[chat.length - 1] = { ...last, content: last.content + CONTINUE }
    }
    const variables = {
      ...options.variables,
      messages: chat,
      add_generation_prompt: options.addGenerationPrompt ?? false,
    }
    if (marksAssistant && /[\ufdd0\ufdd1]/.test(JSON.stringify(variables)))
      throw refused('a message holds the noncharacter U+FDD0 or U+FDD1')
    const text = renderOrRefuse(template, {
      ...specialTokens,
      ...variables,
      ...(options.tools && { tools: options.tools }),
    })
    return options.continueFinalMessage ? cutAtTag(text, last?.content as string) : text
  }

  return {
    marksAssistant,
    render: (messages, options = {}) => unmark(renderMarked(messages, options)).text,
    renderWithSpans: (messages, options = {}) => unmark(renderMarked(messages, options)),
  }
}

function parse(source: string): Template {
  try {
    return new Template(source)
  } catch (cause) {
    throw new CollimateError(
      'COLLIMATE_TEMPLATE_INVALID',
      `the chat template cannot be read: ${(cause as Error).message}`,
      {
        hint: 'chat templates are Jinja, as in tokenizer_config.json or chat_template.jinja',
        cause,
      },
    )
  }
}

function renderOrRefuse(template: Template, variables: Readonly<Record<string, unknown>>): string {
  try {
    return template.render(variables)
  } catch (cause) {
    throw refused((cause as Error).message, cause)
  }
}

function refused(why: string, cause?: unknown): CollimateError {
  return new CollimateError('COLLIMATE_TEMPLATE_REFUSED', `the chat template refuses the conversation: ${why}`, {
    hint: 'correct the conversation (order of roles, missing content), or give another chat template',
    cause,
  })
}

/** Reasoning goes by several names; the first one is what most templates read (transformers' rule). */
function withReasoning(message: Message): Message {
  const reasoning = message.reasoning_content ?? message.thinking ?? message.reasoning
  return reasoning == null ? message : { thinking: reasoning, ...message, reasoning_content: reasoning }
}

/** Cuts the text where the last message ends; a template that trims messages leaves no space behind it. */
function cutAtTag(text: string, message: string): string {
  const at = text.lastIndexOf(CONTINUE.trim())
  if (at === -1 || !text.includes(message.trim()))
    throw refused('the last message is not in its text, so it cannot be continued')
  return text.startsWith(CONTINUE, at) ? text.slice(0, at) : text.slice(0, at).trimEnd()
}

function unmark(marked: string): { text: string; spans: Span[] } {
  const spans: Span[] = []
  let text = ''
  let start = 0
  for (const [piece] of marked.matchAll(/[\ufdd0\ufdd1]|[^\ufdd0\ufdd1]+/g)) {
    if (piece === OPEN) start = text.length
    else if (piece === CLOSE) spans.push({ start, end: text.length })
    else text += piece
  }
  return { text, spans }
}
