import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBus, standaloneContext, type Backend, type Model, type Policy, type Scorable } from '@collimate/core'
import { createTokenizer, forestBatch, trainByteBpe } from '@collimate/data'
import { openBackend } from '@collimate/laws'
import { scoreRollouts } from '@collimate/rollouts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import processReward, { createProcessReward, processOptions, scoreByModel } from './index.js'
import { prefixModel } from './prefix-model.js'

const files = trainByteBpe(['2 + 2 = 4\nso 4 + 4 = 8\nthe answer is 8'], { vocabularySize: 280 })
const tokenizer = createTokenizer(files)
const coded = (text: string) => ({ ids: tokenizer.encode(text), text })
const rollout = (text: string, more: Partial<Scorable> = {}, prompt = 'How many?\n'): Scorable => ({
  prompt: coded(prompt),
  completion: coded(text),
  columns: {},
  ...more,
})
const textUpTo = ({ completion }: Scorable, end: number) => tokenizer.decode(completion.ids.slice(0, end + 1))

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'collimate-process-'))
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(files.tokenizer))
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(files.config))
})
afterAll(() => rm(folder, { recursive: true }))

const context = (served = files) => {
  const bus = createBus()
  bus.serve('policy.describe', async () => ({ tokenizer: served }) as Awaited<ReturnType<Policy['describe']>>)
  return { ...standaloneContext({ folder }).context, bus }
}
const made = (options: object, around = context()) => createProcessReward(processOptions.parse(options), around)

describe('rules on steps', () => {
  it('score each step by its own text, and say where it ends', async () => {
    const seen: unknown[] = []
    const source = await made({
      rules: [
        { rule: 'numeric-answer', weight: 2 },
        {
          name: 'watch',
          rule: (x: { completion: string; endedBy?: string; step?: unknown; completionIds: Int32Array }) => {
            seen.push([x.completion, x.endedBy, x.step])
            return x.completionIds.length
          },
        },
      ],
    })
    const one = rollout('2 + 2 = 4\n\nso 4 + 4 = 8\nthe answer is', { columns: { answer: '8' }, endedBy: 'length' })
    const reply = await source.score({ rollouts: [one] })
    const [ends] = reply.stepEnds ?? []
    expect([...ends].map((end) => textUpTo(one, end))).toEqual([
      '2 + 2 = 4\n',
      '2 + 2 = 4\n\nso 4 + 4 = 8\n',
      one.completion.text,
    ])
    const sizes = [...ends].map((end, step) => end - (step === 0 ? -1 : ends[step - 1]))
    expect(reply).toMatchObject({
      granularity: 'step',
      scores: [Float64Array.from(sizes, (size, step) => size + [0, 2, 0][step])],
      parts: { 'numeric-answer': Float64Array.of(1), watch: Float64Array.of(one.completion.ids.length) },
    })
    expect(seen).toEqual([
      ['2 + 2 = 4\n', 'stop', { index: 0, count: 3, before: '' }],
      ['\nso 4 + 4 = 8\n', 'stop', { index: 1, count: 3, before: '2 + 2 = 4\n' }],
      ['the answer is', 'length', { index: 2, count: 3, before: '2 + 2 = 4\n\nso 4 + 4 = 8\n' }],
    ])
  })

  it('give trainers the same rewards per step and per token', async () => {
    const rules = [{ rule: 'length', target: 4 }]
    const rollouts = [rollout('a\nbc d e\n'), rollout(''), rollout('one')]
    const perStep = await scoreRollouts(await made({ rules }), rollouts)
    const source = await made({ rules, granularity: 'token' })
    const perToken = await scoreRollouts(source, rollouts)
    expect(perToken.perToken).toEqual(perStep.perToken)
    expect(perToken.totals).toEqual(perStep.totals)
    expect((await source.score({ rollouts })).stepEnds).toBeUndefined()
  })

  it('name rollout and step of what goes wrong', async () => {
    const failing = await made({
      rules: [{ name: 'odd', rule: ({ step }: { step?: { index: number } }) => (step?.index === 1 ? NaN : 1) }],
    })
    await expect(failing.score({ rollouts: [rollout('a'), rollout('a\nb\n')] })).rejects.toThrow(
      'rule "odd" gives rollout 1, step 2 of 2 NaN: "b\\n"',
    )
    const last = await made({ rules: [{ rule: 'missing-eos' }] })
    expect((await last.score({ rollouts: [rollout('a\nb')] })).scores).toEqual([Float64Array.of(0, 0)])
    await expect(last.score({ rollouts: [rollout('a')] })).rejects.toThrow(
      expect.objectContaining({
        code: 'COLLIMATE_REWARD_UNSCORED',
        message: 'no rule scores any step of rollout 0, "a"',
      }),
    )
  })

  it('read the tokenizer of a folder outside of experiments, and are refused without any', async () => {
    const { context: alone } = standaloneContext({ folder })
    const rules = [{ rule: 'repetition' }]
    const rollouts = [rollout('a\nb')]
    const source = await made({ rules, tokenizer: '.' }, alone as ReturnType<typeof context>)
    expect((await source.score({ rollouts })).scores[0]).toHaveLength(2)
    const without = await made({ rules }, alone as ReturnType<typeof context>)
    await expect(without.score({ rollouts })).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_TOKENIZER_MISSING' }),
    )
  })
})

describe('a process reward model', () => {
  const stepped = (one: Scorable, ...ends: number[]) => ({ rollout: one, ends: Int32Array.from(ends), said: [] })

  it('is read at the last token of each step, with all before it and nothing behind', async () => {
    const score = scoreByModel(prefixModel(), { output: 'logit', microBatchSize: 2 })
    const texts = ['2 + 2 = 4\nso', 'so', '', '2 + 2 = 4\nso 4 + 4 = 8\n', 'so 8']
    const all = texts.map((text, at) => rollout(text, {}, at < 3 ? 'How many?\n' : 'How few?'))
    const ends = all.map(({ completion: { ids } }) =>
      Array.from(ids.keys()).filter((at) => at % 3 === 1 || at === ids.length - 1),
    )
    const { scores } = await score(all.map((one, at) => stepped(one, ...ends[at])))
    for (const [at, { prompt, completion }] of all.entries())
      for (const [step, end] of ends[at].entries()) {
        const cut = { prompt, completion: { ids: completion.ids.slice(0, end + 1), text: '' }, columns: {} }
        const { scores: alone } = await score([stepped(cut, end)])
        expect(scores[at][step]).toBe(alone[0][0])
      }
    expect(scores.map(({ length }) => length)).toEqual(ends.map(({ length }) => length))
    const { scores: probabilities } = await scoreByModel(prefixModel(), { output: 'probability', microBatchSize: 8 })(
      all.map((one, at) => stepped(one, ...ends[at])),
    )
    probabilities.forEach((own, at) =>
      own.forEach((value, step) => expect(value).toBeCloseTo(1 / (1 + Math.exp(-scores[at][step])), 12)),
    )
  })

  it('computes a prompt once for its neighbours, and asks nothing where there are no steps', async () => {
    const tokens: number[] = []
    const counting: Pick<Model, 'outputs'> = {
      outputs: async (request) => {
        tokens.push(request.batch.tokenCount)
        return prefixModel().outputs(request)
      },
    }
    const score = scoreByModel(counting, { output: 'logit', microBatchSize: 8 })
    const [a, b] = [rollout('so'), rollout('so 8')]
    await score([stepped(a, 0), stepped(b, 1), stepped(rollout(''))])
    await score([stepped(rollout(''))])
    expect(tokens).toEqual([a.prompt.ids.length + a.completion.ids.length + b.completion.ids.length])
  })

  it('is refused where it says no number', async () => {
    const broken: Pick<Model, 'outputs'> = { outputs: async () => ({ values: new Float64Array(8).fill(NaN) }) }
    await expect(
      scoreByModel(broken, { output: 'logit', microBatchSize: 1 })([stepped(rollout('so'), 0)]),
    ).rejects.toThrow('the process reward model gives step 1 of rollout 0 NaN: "so"')
  })
})

describe('a transformer with a scalar head', () => {
  let backend: Backend
  beforeAll(async () => void (backend = await openBackend('interpreter')))
  afterAll(() => backend.close())
  const config = {
    ...{ model_type: 'llama', vocab_size: 280, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1 },
    ...{ num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 64 },
  }

  it('scores a step as it scores a sequence that ends there, from its folder on', async () => {
    const { context: around, close } = standaloneContext({ folder, seed: 3, backend, plugins: [processReward] })
    const fresh = await around.plugin('policy', {
      ...{ use: 'transformer', head: 'score', create: { config, tokenizer: folder, seed: 5 } },
    })
    const model = join(folder, 'prm')
    await fresh.save({ folder: model })
    const source = await around.plugin('reward', { use: 'process', model, tokenizer: '.' })
    const rollouts = [rollout('2 + 2 = 4\nso 4 + 4 = 8\n'), rollout('so\n8')]
    const plain = await around.plugin('policy', { use: 'transformer', create: { config, tokenizer: folder } })
    await plain.save({ folder: `${model}-no` })
    await expect(around.plugin('reward', { use: 'process', model: `${model}-no` })).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_OUTPUT_MISSING' }),
    )
    const { scores, stepEnds = [] } = await source.score({ rollouts })
    expect(scores.map(({ length }) => length)).toEqual([2, 2])
    for (const [at, { prompt, completion }] of rollouts.entries())
      for (const [step, end] of stepEnds[at].entries()) {
        const batch = forestBatch([
          {
            ...{ index: 0, prompt: prompt.ids, completions: [completion.ids.slice(0, end + 1)], columns: {} },
            text: { prompt: '', completions: [''] },
          },
        ])
        const { scores: whole = [] } = await fresh.outputs({ batch, names: ['scores'] })
        expect(Math.abs(scores[at][step] - whole[0])).toBeLessThan(1e-6)
        expect(Math.abs(whole[0])).toBeGreaterThan(1e-3)
      }
    await close()
  })
})

describe('the options', () => {
  it.each([
    [{}, 'model'],
    [{ model: 'a', rules: [{ rule: 'repetition' }] }, 'model'],
    [{ rules: [{ rule: 'repetition' }], output: 'logit' }, 'output'],
    [{ rules: [{ rule: 'repetition' }], microBatchSize: 2 }, 'microBatchSize'],
    [{ model: 'a', delimiter: '\n', stepTokens: 2 }, 'stepTokens'],
    [{ model: 'a', delimiter: '' }, 'delimiter'],
    [{ model: 'a', stepTokens: 0 }, 'stepTokens'],
    [{ rules: [{ rule: 'lenght' }] }, 'rules'],
  ])('refuse %j', (options, path) => {
    expect(processOptions.safeParse(options).error?.issues[0].path[0]).toBe(path)
  })
})
