import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePluginOptions, standaloneContext } from '@collimate/core'
import type { Policy, RewardSource, Scorable } from '@collimate/core'
import { forestBatch, trainByteBpe } from '@collimate/data'
import { lawsOfOptions, lawsOfRewardSource, openBackend, shared, type LawSuite } from '@collimate/laws'
import { createModel, saveModel, writeRewardNormalisation } from '@collimate/models'
import { bradleyTerry, type BradleyTerryOptions } from './index.js'

const normalisation = { mean: 0.75, std: 2.5 }
const texts = ['What is 2 + 2?', 'Tell me about cats.', 'The answer is 4.', 'Cats sleep. They also purr.', ' yes', '']

/** A reward model with random weights and a tokenizer, in a folder of its own. */
async function tinyModel(folder: string): Promise<string> {
  const tokenizer = trainByteBpe(texts, { vocabularySize: 300 })
  const config = {
    ...{ model_type: 'llama', hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1, num_attention_heads: 2 },
    ...{ num_key_value_heads: 1, vocab_size: 300, max_position_embeddings: 96, tie_word_embeddings: true },
    ...{ rms_norm_eps: 1e-5, initializer_range: 0.5, eos_token_id: 0 },
  }
  await saveModel(folder, createModel({ config, seed: 3, head: 'score', tokenizer }))
  await writeRewardNormalisation(folder, normalisation)
  return folder
}

/** Reward sources and models on the interpreter; the folder and the backend go when it is closed. */
function setting() {
  const all = shared(
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'collimate-reward-'))
      const standalone = standaloneContext({ backend: await openBackend('interpreter') })
      return { folder, model: await tinyModel(join(folder, 'model')), ...standalone }
    },
    async ({ folder, close }) => {
      await close()
      await rm(folder, { recursive: true, force: true })
    },
  )
  let scorer: Promise<Policy> | undefined
  return {
    async create(options: Partial<BradleyTerryOptions> = {}): Promise<RewardSource> {
      const { model, context } = await all.get()
      const parsed = parsePluginOptions(bradleyTerry, { ...options, model })
      return (await bradleyTerry.definition.create(parsed, context)) as RewardSource
    },
    /** The model's own score of a sequence that is one stretch of tokens, alone in its batch and without padding. */
    async scoreAlone({ prompt, completion }: Scorable): Promise<number> {
      const { model, context } = await all.get()
      const policy = await (scorer ??= context.plugin('policy', { use: 'transformer', model }))
      const whole = Int32Array.of(...prompt.ids, ...completion.ids)
      const text = { prompt: '', completions: [''] }
      const example = { index: 0, prompt: new Int32Array(), completions: [whole], text, columns: {} }
      const batch = forestBatch([example], { bucket: false, layout: 'separate' })
      const { scores } = await policy.outputs({ batch, names: ['scores'] })
      return ((scores?.[0] ?? NaN) - normalisation.mean) / normalisation.std
    },
    close: () => all.close(),
  }
}

/** The laws of reward sources on a tiny reward model, and those of its options. */
export default async function laws(): Promise<LawSuite[]> {
  const [one, other] = [setting(), setting()]
  const tokenizer = trainByteBpe(texts, { vocabularySize: 300 })
  const source = lawsOfRewardSource({
    ...{ name: 'bradley-terry', create: () => one.create(), formula: one.scoreAlone },
    ...{ claims: bradleyTerry.definition.capabilities ?? {}, texts, tokenizer },
  })
  return [{ ...source, close: () => source.close().then(one.close) }, optionsSuite(other)]
}

function optionsSuite({ create, close }: ReturnType<typeof setting>): LawSuite {
  const ids = (...list: number[]) => Int32Array.from(list)
  const rollouts: Scorable[] = [
    { prompt: { ids: ids(5, 6, 7), text: 'What' }, completion: { ids: ids(8, 9), text: ' yes' }, columns: {} },
    { prompt: { ids: ids(5, 6, 7), text: 'What' }, completion: { ids: ids(), text: '' }, columns: {} },
  ]
  return lawsOfOptions({
    plugin: bradleyTerry,
    base: { model: 'any' },
    output: async (options) => {
      const source = await create(options as BradleyTerryOptions)
      try {
        return await source.score({ rollouts })
      } finally {
        await source.close()
      }
    },
    alternatives: {
      model: [{ value: '', refused: true }],
      microBatchSize: [{ value: 0, refused: true }],
      maxLength: [{ value: 3 }, { value: 1, refused: true }],
      normalise: [{ value: false }],
      retokenise: [{ value: true }],
      modelPlugin: [{ value: 'nosuchplugin', refused: 'COLLIMATE_PLUGIN_UNKNOWN' }],
    },
    close,
  })
}
