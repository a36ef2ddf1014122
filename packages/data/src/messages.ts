/** One message of a conversation, as chat templates read it; further keys (`tool_calls`, `name`) are passed on. */
export interface Message {
  readonly role: string
  readonly content?: unknown
  readonly [key: string]: unknown
}

/** A prompt or a completion: plain text, or messages that a chat template turns into text. */
export type Part = string | readonly Message[]

/** ShareGPT's names of the speakers; transformers' templates know the right-hand ones. */
const ROLES: Readonly<Record<string, string>> = {
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
}

/** A message with `role` (and `content`), or in ShareGPT's form with `from` and `value`; undefined for anything else. */
export function asMessage(value: unknown): Message | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const message = value as Readonly<Record<string, unknown>>
  if (typeof message.role === 'string') return message as Message
  if (typeof message.from !== 'string' || !('value' in message)) return undefined
  const { from, value: content, ...rest } = message
  return { ...rest, role: ROLES[from as string] ?? (from as string), content }
}

/** A text, a list of messages, or a single message (a list of one); undefined for anything else. */
export function asPart(value: unknown): Part | undefined {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) {
    const message = asMessage(value)
    return message && [message]
  }
  const messages = value.map(asMessage)
  return messages.length > 0 && messages.every((message) => message !== undefined) ? (messages as Message[]) : undefined
}

/** The texts of messages, for people and reward functions. */
export function textOf(part: Part): string {
  if (typeof part === 'string') return part
  return part
    .map((message) => (typeof message.content === 'string' ? message.content : JSON.stringify(message.content ?? '')))
    .join('\n')
}
