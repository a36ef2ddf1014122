import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { assistantSpans, maskOfSpans } from './assistant-mask.js'
import { chatTemplate } from './chat-template.js'
import type { Message } from './messages.js'
import { loadTokenizerFiles } from './tokenizer-files.js'
import { createTokenizer } from './tokenizer.js'
import type { Tokenizer } from './tokenizer.js'

const shared = fileURLToPath(new URL('../../../../shared/', import.meta.url))
const here = existsSync(`${shared}parity/chat`) && existsSync(`${shared}data/tok-tiny-bpe`)

interface Case {
  template: string
  conversation: string
  add_generation_prompt: boolean
  continue_final_message: boolean
  variables: Record<string, unknown>
  tools: boolean
  rendered?: string
  ids?: number[]
  assistant_mask?: number[]
  error?: string
}
interface Expected {
  special_tokens: Record<string, string>
  tools: unknown[]
  conversations: Record<string, Message[]>
  cases: Case[]
}

describe.skipIf(!here)('chat templates of ../shared/parity (skipped where the folder is absent)', () => {
  const expected = (
    here ? JSON.parse(readFileSync(`${shared}parity/chat/expected.json`, 'utf8')) : { cases: [] }
  ) as Expected
  const template = (name: string) =>
    chatTemplate(readFileSync(`${shared}parity/chat/${name}.jinja`, 'utf8'), expected.special_tokens)
  let tokenizer: Tokenizer | undefined
  const tiny = async () => (tokenizer ??= createTokenizer(await loadTokenizerFiles(`${shared}data/tok-tiny-bpe`)))

  for (const [number, one] of expected.cases.entries()) {
    const marks = `${one.add_generation_prompt ? '+prompt' : ''}${one.continue_final_message ? '+continue' : ''} ${JSON.stringify(one.variables)}`
    it(`${number} ${one.template}/${one.conversation} ${marks}`, async () => {
      const messages = expected.conversations[one.conversation]
      const options = {
        addGenerationPrompt: one.add_generation_prompt,
        continueFinalMessage: one.continue_final_message,
        tools: one.tools ? expected.tools : undefined,
        variables: one.variables,
      }
      if (one.error !== undefined) {
        const refusal = expect.objectContaining({
          code: 'COLLIMATE_TEMPLATE_REFUSED',
          message: expect.stringContaining(one.error) as string,
        })
        expect(() => template(one.template).render(messages, options)).toThrow(refusal)
        return
      }
      expect(template(one.template).render(messages, options)).toBe(one.rendered)
      const ids = (await tiny()).encode(one.rendered as string)
      expect(Array.from(ids)).toEqual(one.ids)
      if (one.assistant_mask === undefined) return
      const { text, spans } = template(one.template).renderWithSpans(messages, options)
      const mask = Array.from(maskOfSpans(text, ids, spans, await tiny()))
      // There transformers gives up because the first character of the answer has no token, and trains on nothing.
      if (one.conversation === 'unicode') {
        const masked = ids.filter((_, at) => mask[at] === 1)
        expect((await tiny()).decode(masked)).toBe(' and  nave caf<|im_end|>')
      } else expect(mask).toEqual(one.assistant_mask)
    })
  }
})

const CHATML = `{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`
const CHAT: Message[] = [
  { role: 'user', content: 'One' },
  { role: 'assistant', content: 'Two' },
  { role: 'user', content: 'Three' },
  { role: 'assistant', content: 'Four' },
]

describe('assistantSpans', () => {
  const words = (source: string) => {
    const { text, spans } = assistantSpans(chatTemplate(source), CHAT)
    return spans.map(({ start, end }) => text.slice(start, end))
  }

  it('takes what assistant messages add where the template marks nothing', () => {
    expect(words(CHATML)).toEqual(['Two<|im_end|>\n', 'Four<|im_end|>\n'])
  })

  it('takes what the template marks, with any whitespace control', () => {
    const marked = (open: string, close: string) =>
      `{% for m in messages %}\n{% if m.role == 'assistant' %}\n[A] ${open}{{ m.content }}${close} \n{% else %}\n[U] {{ m.content }}\n{% endif %}\n{% endfor %}`
    expect(words(marked('{% generation %}', '{% endgeneration %}'))).toEqual(['Two', 'Four'])
    expect(words(marked('{%- generation -%}', '{%- endgeneration -%}'))).toEqual(['Two', 'Four'])
  })

  it('refuses templates that rewrite earlier turns', () => {
    const source = `{% for m in messages %}{{ m.role if loop.last else '' }}{{ m.content }}{% endfor %}`
    expect(() => assistantSpans(chatTemplate(source), CHAT)).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_TEMPLATE_NOT_INCREMENTAL' }),
    )
  })
})

describe('chatTemplate', () => {
  it('has special tokens and the clock, and refuses what it cannot read or render', () => {
    expect(chatTemplate('{{ bos_token }}{{ messages[0].content }}', { bos_token: '<s>' }).render(CHAT)).toBe('<s>One')
    expect(chatTemplate("{{ strftime_now('%Y') }}").render(CHAT)).toMatch(/^\d{4}$/)
    expect(() => chatTemplate('{% if %}')).toThrow(expect.objectContaining({ code: 'COLLIMATE_TEMPLATE_INVALID' }))
    expect(() => chatTemplate('{{ nothing.there.at.all() }}').render(CHAT)).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_TEMPLATE_REFUSED' }),
    )
    expect(() => chatTemplate(CHATML).render([{ role: 'user' }], { continueFinalMessage: true })).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_TEMPLATE_REFUSED' }),
    )
  })
})
