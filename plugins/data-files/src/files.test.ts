import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fc, test } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBus } from '@collimate/core'
import type { DataRequest, PluginContext } from '@collimate/core'
import { loadTokenizerFiles, trainByteBpe } from '@collimate/data'
import files, { filesOptions, splitRows } from './index.js'

const tokenizer = trainByteBpe(['the cat sat on the mat'], { vocabularySize: 270 })
const request: DataRequest = { type: 'preference', tokenizer, maxLength: null, truncation: 'keep_start', seed: 3 }
const pair = (number: number) =>
  JSON.stringify({ prompt: `Question ${number}?`, chosen: ` Yes ${number}.`, rejected: ` No ${number}.`, number })

let folder = ''
const abort = new AbortController()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'collimate-files-'))
  await writeFile(join(folder, 'pairs.jsonl'), Array.from({ length: 40 }, (_, number) => `${pair(number)}\n`).join(''))
  await writeFile(
    join(folder, 'more.jsonl'),
    `${pair(40)}\n${JSON.stringify({ prompt: 'a', chosen: 'b', rejected: 'b' })}\n`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

async function open(options: unknown, more: Partial<DataRequest> = {}) {
  const bus = createBus()
  const seen: [string, unknown][] = []
  bus.onAny((name, payload) => seen.push([name, payload]))
  const context = {
    bus,
    seed: 3,
    signal: abort.signal,
    path: (relative: string) => resolve(folder, relative),
  } as PluginContext
  const source = await files.definition.create(filesOptions.parse(options), context)
  const info = await source.open({ ...request, ...more })
  const numbers = async (split: 'train' | 'evaluation') => {
    const length = (split === 'train' ? info.train : info.evaluation)?.length ?? 0
    const examples = await source.read({ split, indices: Array.from({ length }, (_, at) => at) })
    return examples.map(({ columns }) => columns.number)
  }
  return { source, info, seen, numbers }
}

describe('data plugin files', () => {
  it('reads files in order and counts what it drops', async () => {
    const { info, numbers, seen } = await open({ train: ['pairs.jsonl', 'more.jsonl'] })
    expect(await numbers('train')).toEqual(Array.from({ length: 41 }, (_, at) => at))
    expect(info).toMatchObject({ train: { length: 41 }, dropped: { identical: 1 } })
    expect(info.evaluation).toBeUndefined()
    expect(seen.at(-1)).toEqual(['progress.made', { phase: 'tokenizing', done: 42, total: 42, unit: 'rows' }])
  })

  it('holds out a share that depends on the seed alone', async () => {
    const one = await open({ train: 'pairs.jsonl', evaluate: 0.25 })
    const held = await one.numbers('evaluation')
    expect([...(await one.numbers('train')), ...held].sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 40 }, (_, at) => at),
    )
    expect(held.length).toBe(10)
    const shorter = await open({ train: 'pairs.jsonl', evaluate: 0.25 }, { maxLength: 64 })
    expect(await shorter.numbers('evaluation')).toEqual(held)
    const other = await open({ train: 'pairs.jsonl', evaluate: 0.25 }, { seed: 4 })
    expect(await other.numbers('evaluation')).not.toEqual(held)
  })

  it('takes a file of its own for evaluation, and only so many rows', async () => {
    const { info, numbers } = await open({ train: 'pairs.jsonl', evaluate: 'more.jsonl', limit: 3 })
    expect(await numbers('train')).toEqual([0, 1, 2])
    expect(await numbers('evaluation')).toEqual([40])
    expect(info.dropped).toEqual({ identical: 1 })
  })

  it('has a fingerprint that changes with the tokens alone', async () => {
    const fingerprint = async (more: Partial<DataRequest>) =>
      (await open({ train: 'pairs.jsonl' }, more)).info.train.fingerprint
    const first = await fingerprint({})
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await fingerprint({ seed: 9, maxLength: 999 })).toBe(first)
    expect(await fingerprint({ maxLength: 12 })).not.toBe(first)
  })

  it('uses the template and the columns that it is given', async () => {
    const template = '{% for m in messages %}{{ m.content }}|{% endfor %}{% if add_generation_prompt %}>{% endif %}'
    await writeFile(
      join(folder, 'chat.json'),
      JSON.stringify([{ turns: [{ role: 'user', content: 'a' }], good: 'b', bad: 'c' }]),
    )
    await writeFile(join(folder, 'chat.jinja'), template)
    const columns = { prompt: 'turns', chosen: 'good', rejected: 'bad' }
    for (const chatTemplate of [template, 'chat.jinja']) {
      const { source } = await open({ train: 'chat.json', columns, chatTemplate })
      const [example] = await source.read({ split: 'train', indices: [0] })
      expect(example.text.prompt).toBe('a|>')
    }
    await expect(open({ train: 'chat.json', columns })).rejects.toMatchObject({ code: 'COLLIMATE_TEMPLATE_MISSING' })
    await expect(open({ train: 'chat.json', columns, chatTemplate: 'none.jinja' })).rejects.toMatchObject({
      code: 'COLLIMATE_DATA_FILE_MISSING',
    })
  })

  it('warns where the tokenizer has no end', async () => {
    const { eos_token: _, ...config } = tokenizer.config
    const { seen } = await open({ train: 'pairs.jsonl' }, { tokenizer: { ...tokenizer, config } })
    expect(seen.filter(([name]) => name === 'warning.raised')).toEqual([
      ['warning.raised', expect.objectContaining({ code: 'COLLIMATE_NO_END_TOKEN' })],
    ])
  })

  it('refuses what it cannot do', async () => {
    await expect(open({ train: 'nowhere.jsonl' })).rejects.toMatchObject({ code: 'COLLIMATE_DATA_FILE_MISSING' })
    await writeFile(join(folder, 'bad.jsonl'), `${pair(1)}\n{"prompt":"a","chosen":"b"}\n`)
    await expect(open({ train: 'bad.jsonl' })).rejects.toMatchObject({
      code: 'COLLIMATE_DATA_FIELD_MISSING',
      message: expect.stringMatching(/bad\.jsonl, line 2: field `rejected`/) as string,
    })
    for (const evaluate of [0, 1.5, -0.5])
      expect(filesOptions.safeParse({ train: 'x.jsonl', evaluate }).success).toBe(false)
    expect(filesOptions.safeParse({ train: 'x.jsonl', columns: { promt: 'a' } }).success).toBe(false)
    const { source } = await open({ train: 'pairs.jsonl' })
    await expect(source.read({ split: 'train', indices: [40] })).rejects.toMatchObject({ code: 'COLLIMATE_DATA_RANGE' })
    await source.close()
    await expect(source.read({ split: 'train', indices: [0] })).rejects.toMatchObject({
      code: 'COLLIMATE_DATA_NOT_OPEN',
    })
  })
})

describe('splitRows', () => {
  test.prop([fc.integer({ min: 2, max: 60 }), fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.nat()])(
    'divides the rows, both parts in order, neither empty',
    (length, share, seed) => {
      const { train, evaluation } = splitRows(
        Array.from({ length }, (_, at) => at),
        share,
        seed,
      )
      expect([...train, ...evaluation].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, at) => at))
      for (const part of [train, evaluation]) {
        expect(part.length).toBeGreaterThan(0)
        expect(part).toEqual([...part].sort((a, b) => a - b))
      }
      expect(Math.abs(evaluation.length - length * share)).toBeLessThanOrEqual(1)
    },
  )
  it('refuses a single row', () => {
    expect(splitRows([1, 2, 3, 4], 3, 0).evaluation).toHaveLength(3)
    expect(() => splitRows([1, 2], 2, 0)).toThrow(expect.objectContaining({ code: 'COLLIMATE_DATA_SPLIT_EMPTY' }))
    expect(() => splitRows([1], 0.5, 0)).toThrow(expect.objectContaining({ code: 'COLLIMATE_DATA_SPLIT_EMPTY' }))
  })
})

const TURNS =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))

describe.skipIf(!existsSync(data))('../shared/data (skipped where the folder is absent)', () => {
  it('reads HH-RLHF for tinystories-656k: dialogues split at the common prompt, rows without one counted', async () => {
    const { info, source } = await open(
      { train: `${data}hh-rlhf/harmless-base-test.jsonl.gz` },
      { tokenizer: await loadTokenizerFiles(`${data}tinystories-656k`) },
    )
    expect(info.dropped).toEqual({ prompts_differ: 5 })
    // Of the ids that the Rust library gives, split at the prefix that both sides share with the prompt.
    expect(info.train).toEqual({
      length: 2307,
      fingerprint: '0003b9d9610527902058d65a9c196e29017d003e31be976f2450a52ad4f4f8ed',
    })
    const [example] = await source.read({ split: 'train', indices: [0] })
    expect(example.prompt.filter((id) => id === 1).length).toBe(1)
  })

  it('reads conversations of LLaMA-Factory with the template and the ids of transformers', async () => {
    const smollm = await loadTokenizerFiles(`${data}tok-smollm2`)
    const { info } = await open(
      {
        train: `${data}llama-factory-demo/dpo_en_demo.json`,
        columns: { prompt: 'conversations' },
        chatTemplate: TURNS,
      },
      { tokenizer: smollm },
    )
    expect(info).toEqual({
      train: { length: 300, fingerprint: '2be35751707dc0a14ceb8a337c822a2b36e6d371562ed4fd18c45863d4c8c928' },
      dropped: {},
    })
  })
})
