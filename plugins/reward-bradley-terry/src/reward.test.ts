import type { ForestBatch, Model, Scorable, TokenizerFiles } from '@collimate/core'
import { createTokenizer, trainByteBpe } from '@collimate/data'
import { describe, expect, it } from 'vitest'
import { bradleyTerryOptions } from './options.js'
import { bradleyTerryReward } from './reward.js'
import type { RewardModelParts } from './reward.js'
import { rowsOf } from './rows-of.js'

const tokenizer = trainByteBpe(['where is my order', 'it is on its way'], { vocabularySize: 280 })
const { encode, eosToken } = createTokenizer(tokenizer)

/** Scores a sequence by what it is made of: Σ position · token over what its last token sees. */
function fakeModel({ contextLength = 64, files = tokenizer as TokenizerFiles | 'none' } = {}) {
  const batches: ForestBatch[] = []
  const scoreOf = (ids: ArrayLike<number>) => Array.from(ids).reduce((sum, id, at) => sum + id * (at + 1), 0) / 1000
  const model = {
    describe: async () => ({
      outputs: ['values', 'scores'],
      contextLength,
      ...(files !== 'none' && { tokenizer: files }),
    }),
    outputs: async ({ batch }: { batch: ForestBatch }) => {
      batches.push(batch)
      const { ends, tokens, segments, prompts, width } = batch
      const scores = Float64Array.from(ends, (end) => {
        const row = end - (end % width)
        const seen: number[] = []
        for (let at = row; at <= end; at++)
          if (segments[at] === segments[end] || segments[at] === prompts[end]) seen.push(tokens[at])
        return scoreOf(seen)
      })
      return { scores }
    },
    close: async () => undefined,
  } as unknown as Model
  return { model, batches, scoreOf }
}

const sourceOf = (parts: Partial<RewardModelParts> = {}, options: object = {}) =>
  bradleyTerryReward(
    { model: fakeModel().model, policyTokenizer: async () => tokenizer, ...parts },
    bradleyTerryOptions.parse({ model: 'm', ...options }),
  )

const rollout = (prompt: string, completion: string, rest: Partial<Scorable> = {}): Scorable => ({
  prompt: { ids: encode(prompt), text: prompt },
  completion: { ids: encode(completion), text: completion },
  columns: {},
  ...rest,
})
const whole = ({ prompt, completion }: Scorable) => [...prompt.ids, ...completion.ids]

describe('scores', () => {
  const rollouts = [
    rollout('where is it', ' on its way'),
    rollout('my order', ''),
    rollout('where is it', ' here'),
    rollout('', 'no prompt'),
    rollout('where is it', ' on its way'),
  ]

  it('are those of the sequences, in the order of the rollouts; completions of a prompt share its row', async () => {
    const { model, batches, scoreOf } = fakeModel()
    const { granularity, scores } = await (await sourceOf({ model }, { microBatchSize: 2 })).score({ rollouts })
    expect(granularity).toBe('sequence')
    expect(scores.map(([score]) => score)).toEqual(rollouts.map((one) => scoreOf(whole(one))))
    expect(batches.map(({ rows, sequenceCount }) => [rows, sequenceCount])).toEqual([
      [2, 4],
      [1, 1],
    ])
  })

  it('are normalised by what the model was saved with, unless that is not wanted', async () => {
    const { model, scoreOf } = fakeModel()
    const score = async (options: object) =>
      (await (await sourceOf({ model, normalisation: { mean: 2, std: 0.5 } }, options)).score({ rollouts }))
        .scores[0][0]
    const raw = scoreOf(whole(rollouts[0]))
    expect(await score({})).toBe((raw - 2) / 0.5)
    expect(await score({ normalise: false })).toBe(raw)
  })

  it('of what is too long are those of its end', async () => {
    const { model, scoreOf } = fakeModel({ contextLength: 4 })
    const long = rollout('where is my order', ' on its way, it is')
    const ids = whole(long)
    const scored = async (options: object) =>
      (await (await sourceOf({ model }, options)).score({ rollouts: [long] })).scores[0][0]
    expect(ids.length).toBeGreaterThan(4)
    expect(await scored({})).toBe(scoreOf(ids.slice(-4)))
    expect(await scored({ maxLength: 3 })).toBe(scoreOf(ids.slice(-3)))
  })

  it('are refused where they are not finite, and where there is nothing to score', async () => {
    const { model } = fakeModel()
    const broken = { ...model, outputs: async () => ({ scores: Float64Array.of(NaN) }) } as Model
    await expect((await sourceOf({ model: broken })).score({ rollouts: rollouts.slice(0, 1) })).rejects.toMatchObject({
      code: 'COLLIMATE_REWARD_NOT_FINITE',
    })
    await expect((await sourceOf()).score({ rollouts: [rollout('', '')] })).rejects.toMatchObject({
      code: 'COLLIMATE_PROMPT_EMPTY',
    })
  })

  it('need a reward model', async () => {
    const { model } = fakeModel()
    const language = {
      ...model,
      describe: async () => ({ ...(await model.describe()), outputs: ['logProbs'] }),
    } as Model
    await expect(sourceOf({ model: language })).rejects.toMatchObject({ code: 'COLLIMATE_OUTPUT_MISSING' })
  })

  it('share a row of at most eight completions', () => {
    const prompt = Int32Array.of(1)
    const sequences = Array.from({ length: 19 }, (_, i) => ({ prompt, completion: Int32Array.of(i) }))
    expect(rowsOf(sequences).map(({ places }) => places.length)).toEqual([8, 8, 3])
  })
})

describe('tokenizers', () => {
  const other = trainByteBpe(['another corpus altogether'], { vocabularySize: 270 })

  it('that differ from the policy’s are refused, at once or when there is a policy', async () => {
    const differs = { code: 'COLLIMATE_REWARD_TOKENIZER_DIFFERS', hint: expect.stringContaining('retokenise') }
    await expect(sourceOf({ policyTokenizer: async () => other })).rejects.toMatchObject(differs)
    const policies: TokenizerFiles[] = []
    const source = await sourceOf({ policyTokenizer: async () => policies[0] })
    const rollouts = [rollout('a', 'b')]
    await source.score({ rollouts })
    policies.push(other)
    await expect(source.score({ rollouts })).rejects.toMatchObject(differs)
  })

  it('are the same whatever the order of their fields, padding, truncation and what is put before texts', async () => {
    const fields = Object.fromEntries(Object.entries(tokenizer.tokenizer).reverse())
    const same = { ...tokenizer, tokenizer: { ...fields, padding: { length: 7 }, truncation: null, version: '2.0' } }
    await expect(sourceOf({ policyTokenizer: async () => same })).resolves.toBeDefined()
    const added = { ...tokenizer, tokenizer: { ...fields, added_tokens: [{ id: 999, content: '<x>' }] } }
    await expect(sourceOf({ policyTokenizer: async () => added })).rejects.toThrow(
      /id 999 is "<x>" to the policy and nothing to it/,
    )
  })

  it('must be there', async () => {
    const { model } = fakeModel({ files: 'none' })
    await expect(sourceOf({ model })).rejects.toMatchObject({ code: 'COLLIMATE_TOKENIZER_MISSING' })
    await expect(sourceOf({ model }, { retokenise: true })).rejects.toMatchObject({
      code: 'COLLIMATE_TOKENIZER_MISSING',
    })
  })

  it('of the reward model tokenise the texts, with the end token unless the completion was cut short', async () => {
    const { model, scoreOf } = fakeModel()
    const source = await sourceOf({ model, policyTokenizer: async () => other }, { retokenise: true })
    const texts = { prompt: 'where is it', completion: ' on its way' }
    const ids = { ids: Int32Array.of(0) }
    const of = (endedBy?: 'stop' | 'length'): Scorable => ({
      ...{ prompt: { ...ids, text: texts.prompt }, completion: { ...ids, text: texts.completion }, columns: {} },
      ...(endedBy && { endedBy }),
    })
    const { scores } = await source.score({ rollouts: [of('stop'), of('length'), of()] })
    const cut = [...encode(texts.prompt + texts.completion)]
    const ended = [...cut, eosToken?.id ?? -1]
    expect(scores.map(([score]) => score)).toEqual([ended, cut, ended].map(scoreOf))
  })
})
