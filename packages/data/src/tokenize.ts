import { CollimateError } from '@collimate/core'
import type { Example, Truncation } from '@collimate/core'
import { assistantSpans, commonPrefixLength, maskOfSpans } from './assistant-mask.js'
import type { ChatTemplate, RenderOptions } from './chat-template.js'
import type { DatasetRow } from './dataset-types.js'
import { textOf } from './messages.js'
import type { Message } from './messages.js'
import { place } from './read-rows.js'
import { scoredTokens } from './scored-tokens.js'
import type { Tokenizer } from './tokenizer.js'
import { longestOf, truncate } from './truncate.js'

export interface TokenizeOptions {
  readonly tokenizer: Tokenizer
  /** Turns conversations into text; rows of messages are refused without one. */
  readonly template?: ChatTemplate | undefined
  readonly maxLength: number | null
  readonly truncation: Truncation
  /** In conversations, train on the assistant's words alone. */
  readonly assistantOnly?: boolean
}

/**
 * What became of a row. `promptCut`: tokens merged across the border, so the end of the prompt begins the completion.
 * `emptied`: truncation left a completion (or the prompt, where there is only that) without a token to train on.
 * `too_long`: it is longer than the maximum, and such rows are dropped. `identical`: chosen and rejected are the same tokens.
 */
export type Tokenized =
  | { readonly example: Example; readonly promptCut: boolean }
  | { readonly dropped: 'emptied' | 'too_long' | 'identical' }

/**
 * Tokenises a row as TRL does. Texts: the end-of-sequence token is written behind each completion that does not end with it,
 * prompt and completion are tokenised together, and the prompt is what these ids share with those of the prompt alone; so
 * the prompt's ids begin the whole's by construction. Conversations are rendered by the chat template, with the header of an
 * answer behind the prompt. Masks come from these lengths, never from what a token is.
 *
 * Errors name file and line: COLLIMATE_TEMPLATE_MISSING, COLLIMATE_TEMPLATE_REFUSED, COLLIMATE_MASK_EMPTY.
 */
export function tokenizeRow(row: DatasetRow, options: TokenizeOptions): Tokenized {
  const text =
    typeof row.prompt === 'string' ? textParts(row, options) : located(row, () => conversationParts(row, options))
  const whole = text.completions
  const promptLength =
    row.completions.length === 0
      ? text.prompt.length
      : Math.min(...whole.map((ids) => commonPrefixLength(text.prompt, ids)))
  const parts = {
    prompt: text.prompt.slice(0, promptLength),
    completions: whole.map((ids) => ids.slice(promptLength)),
    ...(text.masks && { masks: text.masks.map((mask) => mask.slice(promptLength)) }),
  }
  if (parts.masks?.some((mask) => !mask.includes(1))) {
    throw new CollimateError(
      'COLLIMATE_MASK_EMPTY',
      `${place(row.source)}: the assistant says nothing, so there is nothing to train on`,
      {
        hint: 'remove the row, or mark the assistant in the chat template with {% generation %}',
      },
    )
  }
  const { maxLength, truncation } = options
  if (truncation === 'drop' && longestOf(parts) > (maxLength ?? Infinity)) return { dropped: 'too_long' }
  const cut = truncation === 'drop' ? parts : truncate(parts, maxLength, truncation)
  if (
    row.completions.length === 0
      ? cut.prompt.length === 0
      : cut.completions.some((_, at) => scoredTokens(cut, at).length === 0)
  ) {
    return { dropped: 'emptied' }
  }
  const [first, second] = cut.completions
  if (first && second && first.length === second.length && commonPrefixLength(first, second) === first.length)
    return { dropped: 'identical' }
  const example: Example = {
    index: row.source.index,
    ...cut,
    text:
      cut === parts
        ? { prompt: text.promptText, completions: row.completions.map(textOf) }
        : decodedTexts(cut, options.tokenizer),
    columns: row.columns,
  }
  return { example, promptCut: row.completions.length > 0 && promptLength < text.prompt.length }
}

/** Ids of the prompt alone and of prompt + completion, with masks over the latter. */
interface WholeParts {
  readonly promptText: string
  readonly prompt: Int32Array
  readonly completions: readonly Int32Array[]
  readonly masks?: readonly Uint8Array[]
}

function textParts(row: DatasetRow, { tokenizer }: TokenizeOptions): WholeParts {
  const prompt = row.prompt as string
  const end = tokenizer.eosToken?.text ?? ''
  const encode = (text: string): Int32Array => tokenizer.encode(text, { beginning: true })
  return {
    promptText: prompt,
    // A text without a prompt is all completion, the beginning-of-sequence token too.
    prompt: prompt === '' && row.completions.length > 0 ? new Int32Array() : encode(prompt),
    completions: row.completions.map((completion) => {
      const text = completion as string
      return encode(prompt + (text.endsWith(end) ? text : text + end))
    }),
  }
}

function conversationParts(row: DatasetRow, options: TokenizeOptions): WholeParts {
  const { tokenizer, template } = options
  if (template === undefined) {
    throw new CollimateError(
      'COLLIMATE_TEMPLATE_MISSING',
      'the row is a conversation, and the model has no chat template',
      {
        hint: 'give a template with the option `chatTemplate`, or write the rows as texts',
      },
    )
  }
  const prompt = row.prompt as readonly Message[]
  const settings = renderOptions(row.columns)
  // Prompts alone are sampled from: one that ends with the assistant's words is continued, not answered.
  const open = row.completions.length === 0 && prompt.at(-1)?.role === 'assistant'
  const header = open ? { continueFinalMessage: true } : { addGenerationPrompt: true }
  const promptText = prompt.length === 0 ? '' : template.render(prompt, { ...settings, ...header })
  const rendered = row.completions.map((completion) => {
    const messages = [...prompt, ...(completion as readonly Message[])]
    return options.assistantOnly
      ? assistantSpans(template, messages, settings)
      : { text: template.render(messages, settings), spans: [] }
  })
  const completions = rendered.map(({ text }) => tokenizer.encode(text))
  const masks = rendered.map(({ text, spans }, at) => maskOfSpans(text, completions[at], spans, tokenizer))
  return { promptText, prompt: tokenizer.encode(promptText), completions, ...(options.assistantOnly && { masks }) }
}

/** TRL's columns `tools` (a list, or its JSON text) and `chat_template_kwargs`. */
function renderOptions(columns: Readonly<Record<string, unknown>>): RenderOptions {
  const tools: unknown = typeof columns.tools === 'string' ? JSON.parse(columns.tools) : columns.tools
  const variables = columns.chat_template_kwargs
  return {
    ...(Array.isArray(tools) && tools.length > 0 && { tools: tools as unknown[] }),
    ...(typeof variables === 'object' && variables !== null && { variables: variables as Record<string, unknown> }),
  }
}

/** The texts of what truncation left. */
export function decodedTexts(
  parts: { prompt: Int32Array; completions: readonly Int32Array[] },
  tokenizer: Tokenizer,
): Example['text'] {
  const skipSpecialTokens = true
  return {
    prompt: tokenizer.decode(parts.prompt),
    completions: parts.completions.map((completion) =>
      tokenizer.decodeAfter(parts.prompt, completion, { skipSpecialTokens }),
    ),
  }
}

/** Adds file and line to errors that do not know them. */
function located<T>(row: DatasetRow, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof CollimateError) {
      throw new CollimateError(cause.code, `${place(row.source)}: ${cause.message}`, {
        ...(cause.hint && { hint: cause.hint }),
        cause,
      })
    }
    if (cause instanceof SyntaxError) {
      throw new CollimateError(
        'COLLIMATE_DATA_FIELD_INVALID',
        `${place(row.source)}: field \`tools\` is not JSON: ${cause.message}`,
        { cause },
      )
    }
    throw cause
  }
}
