import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { DatasetType } from '@collimate/core'
import { columnReader } from './columns.js'
import type { ColumnMapping } from './columns.js'
import { datasetRow, detectDatasetType } from './dataset-types.js'
import { splitPair } from './implicit-prompt.js'
import { textOf } from './messages.js'
import { readRows } from './read-rows.js'
import type { SourceRow } from './read-rows.js'

const source = (value: Record<string, unknown>): SourceRow => ({ value, file: 'pairs.jsonl', line: 3, index: 2 })
const read = (value: Record<string, unknown>, type: DatasetType, mapping?: ColumnMapping) => {
  const row = datasetRow(source(value), type, columnReader(mapping))
  if (row === 'prompts_differ') return row
  const { prompt, completions, columns } = row
  return { prompt, completions, columns }
}
const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })

describe('datasetRow', () => {
  it.each<[string, Record<string, unknown>, DatasetType, unknown]>([
    ['text', { text: 'a', id: 1 }, 'language-modeling', { prompt: '', completions: ['a'], columns: { id: 1 } }],
    [
      'messages',
      { messages: [user('a')] },
      'language-modeling',
      { prompt: [], completions: [[user('a')]], columns: {} },
    ],
    [
      'ShareGPT conversations',
      {
        conversations: [
          { from: 'human', value: 'a' },
          { from: 'gpt', value: 'b' },
        ],
        id: 1,
      },
      'language-modeling',
      { prompt: [], completions: [[user('a'), assistant('b')]], columns: { id: 1 } },
    ],
    [
      'prompt only',
      { prompt: 'a', answer: 4 },
      'prompt-only',
      { prompt: 'a', completions: [], columns: { answer: 4 } },
    ],
    [
      'prompt-completion',
      { prompt: 'a', completion: 'b' },
      'prompt-completion',
      { prompt: 'a', completions: ['b'], columns: {} },
    ],
    [
      'explicit preference',
      { prompt: 'a', chosen: 'b', rejected: 'c', margin: 1 },
      'preference',
      { prompt: 'a', completions: ['b', 'c'], columns: { margin: 1 } },
    ],
    [
      'implicit preference',
      { chosen: 'The sky is blue', rejected: 'The sky is red' },
      'preference',
      { prompt: 'The sky is', completions: [' blue', ' red'], columns: {} },
    ],
    [
      'implicit conversations',
      { chosen: [user('a'), assistant('b')], rejected: [user('a'), assistant('c')] },
      'preference',
      { prompt: [user('a')], completions: [[assistant('b')], [assistant('c')]], columns: {} },
    ],
    [
      'a text prompt beside conversations that begin with it',
      { prompt: 'a', chosen: [user('a'), assistant('b')], rejected: [user('a'), assistant('c')] },
      'preference',
      { prompt: [user('a')], completions: [[assistant('b')], [assistant('c')]], columns: {} },
    ],
    [
      'a text prompt beside single messages',
      { prompt: 'a', chosen: assistant('b'), rejected: assistant('c') },
      'preference',
      { prompt: [user('a')], completions: [[assistant('b')], [assistant('c')]], columns: {} },
    ],
    [
      'a preference as prompt',
      { prompt: 'a', chosen: 'b', rejected: 'c' },
      'prompt-only',
      { prompt: 'a', completions: [], columns: { chosen: 'b', rejected: 'c' } },
    ],
    [
      'a preference as prompt-completion',
      { prompt: 'a', chosen: 'b', rejected: 'c' },
      'prompt-completion',
      { prompt: 'a', completions: ['b'], columns: {} },
    ],
    [
      'conversations without a shared prompt',
      { chosen: [user('a')], rejected: [user('b')] },
      'preference',
      'prompts_differ',
    ],
  ])('%s', (_, value, type, expected) => {
    expect(read(value, type)).toEqual(expected)
  })

  it('maps names, paths and patterns', () => {
    const row = { q: { list: ['x', 'y'] }, instruction: 'Add', input: '1 2', good: 'three', bad: 'four', 'a.b': 1 }
    expect(read(row, 'preference', { prompt: 'q.list.1', chosen: 'good', rejected: 'bad' })).toEqual({
      prompt: 'y',
      completions: ['three', 'four'],
      columns: { instruction: 'Add', input: '1 2', 'a.b': 1 },
    })
    expect(read(row, 'prompt-completion', { prompt: '{instruction}: {input}\n', completion: 'good' })).toMatchObject({
      prompt: 'Add: 1 2\n',
      completions: ['three'],
    })
    expect(() => read(row, 'prompt-only', { prompt: '{nope}' })).toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_DATA_FIELD_MISSING',
        message: expect.stringContaining('`nope`') as string,
      }),
    )
    expect(() => columnReader({ promt: 'x' } as ColumnMapping)).toThrow(
      expect.objectContaining({ code: 'COLLIMATE_DATA_COLUMNS_INVALID' }),
    )
  })

  it('names file, line and field of what is missing or wrong', () => {
    const failure = (code: string, ...words: string[]) =>
      expect.objectContaining({
        code,
        message: expect.stringMatching(words.map((word) => `(?=.*${word})`).join('')) as string,
      })
    expect(() => read({ prompt: 'a', chosen: 'b' }, 'preference')).toThrow(
      failure('COLLIMATE_DATA_FIELD_MISSING', 'pairs.jsonl, line 3', '`rejected`'),
    )
    expect(() => read({ prompt: 'a', chosen: 'b', rejected: null }, 'preference')).toThrow(
      failure('COLLIMATE_DATA_FIELD_MISSING', '`rejected`'),
    )
    expect(() => read({ question: 'a' }, 'prompt-only', { prompt: 'query' })).toThrow(
      failure('COLLIMATE_DATA_FIELD_MISSING', '`query`'),
    )
    expect(() => read({ prompt: 7, completion: 'b' }, 'prompt-completion')).toThrow(
      failure('COLLIMATE_DATA_FIELD_INVALID', '`prompt`', 'a number'),
    )
    expect(() => read({ messages: ['a'] }, 'language-modeling')).toThrow(
      failure('COLLIMATE_DATA_FIELD_INVALID', '`messages`'),
    )
  })

  it('tells the types apart', () => {
    const type = (value: Record<string, unknown>) => detectDatasetType(source(value), columnReader())
    expect(type({ prompt: 'a', chosen: 'b', rejected: 'c' })).toBe('preference')
    expect(type({ prompt: 'a', completion: 'b' })).toBe('prompt-completion')
    expect(type({ prompt: 'a' })).toBe('prompt-only')
    expect(type({ conversations: [] })).toBe('language-modeling')
    expect(type({ x: 1 })).toBeUndefined()
  })
})

describe('splitPair', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 8 })
  test.prop([texts, texts, texts])('puts the texts together again', (shared, a, b) => {
    const pair = splitPair(shared + a, shared + b)
    expect(pair).not.toBe('prompts_differ')
    if (pair === 'prompts_differ') return
    expect([`${textOf(pair.prompt)}${textOf(pair.chosen)}`, `${textOf(pair.prompt)}${textOf(pair.rejected)}`]).toEqual([
      shared + a,
      shared + b,
    ])
    expect(/[\ud800-\udbff]$/.test(textOf(pair.prompt))).toBe(false)
  })

  test.prop([texts, texts, texts])('splits dialogues after the last turn of the assistant', (question, a, b) => {
    const prompt = `\n\nHuman: ${question}\n\nAssistant: Well.\n\nHuman: And?\n\nAssistant:`
    expect(splitPair(prompt + a, prompt + b)).toEqual({ prompt, chosen: a, rejected: b })
    expect(splitPair(prompt + a, `\n\nHuman: No.${prompt}${b}`)).toBe('prompts_differ')
  })
})

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))

describe.skipIf(!existsSync(data))('files of ../shared/data (skipped where the folder is absent)', () => {
  const count = async (file: string, type: DatasetType, mapping?: ColumnMapping) => {
    const columns = columnReader(mapping)
    const result = { rows: 0, differ: 0, conversations: 0 }
    for await (const row of readRows(data + file)) {
      const read = datasetRow(row, type, columns)
      result.rows += 1
      if (read === 'prompts_differ') result.differ += 1
      else if (typeof read.prompt !== 'string') result.conversations += 1
    }
    return result
  }

  it.each<[string, DatasetType, ColumnMapping | undefined, number, number, number]>([
    ['hh-rlhf/harmless-base-test.jsonl.gz', 'preference', undefined, 2312, 5, 0],
    ['hh-rlhf/harmless-base-test.jsonl.gz', 'prompt-completion', undefined, 2312, 5, 0],
    [
      'rasbt-instruct/instruction-data-with-preference.json',
      'preference',
      { prompt: '{instruction}\n{input}\n' },
      1100,
      0,
      0,
    ],
    [
      'rasbt-instruct/instruction-data.json',
      'prompt-completion',
      { prompt: 'instruction', completion: 'output' },
      1100,
      0,
      0,
    ],
    ['llama-factory-demo/dpo_en_demo.json', 'preference', { prompt: 'conversations' }, 300, 0, 300],
    ['llama-factory-demo/kto_en_demo.json', 'language-modeling', undefined, 300, 0, 300],
    [
      'orca-dpo-sample/orca_dpo_pairs.jsonl',
      'preference',
      { prompt: 'input.messages', chosen: 'preferred_output', rejected: 'non_preferred_output' },
      284,
      0,
      284,
    ],
    ['multi-turn/dummy_conversation.json', 'language-modeling', undefined, 500, 0, 500],
    ['gsm8k/test.jsonl', 'prompt-completion', { prompt: 'question', completion: 'answer' }, 1319, 0, 0],
  ])('%s as %s', async (file, type, mapping, rows, differ, conversations) => {
    expect(await count(file, type, mapping)).toEqual({ rows, differ, conversations })
  })
})
