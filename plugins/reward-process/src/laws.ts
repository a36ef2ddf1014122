import { createBus, parsePluginOptions, type PluginContext, type Policy, type TokenizerFiles } from '@collimate/core'
import { createTokenizer, trainByteBpe } from '@collimate/data'
import { lawsOfOptions, lawsOfRewardSource, type LawSuite, type RewardLawsOptions } from '@collimate/laws'
import { createProcessReward, processReward, type ProcessOptions } from './index.js'
import { prefixModel } from './prefix-model.js'

const texts = [
  'One step.\nAnother one.\n',
  'One\n\n\nTwo\nThree',
  '\nBlank before',
  ' ',
  '',
  'Only one',
  'a\nb\nc\nd\n',
]
const tokenizer: TokenizerFiles = trainByteBpe(texts, { vocabularySize: 280 })

const create = (options: unknown) =>
  createProcessReward(parsePluginOptions(processReward, options) as unknown as ProcessOptions, surroundings())

/** The laws of reward sources for rules and for a model, per step and per token, and those of the options. */
export default async function laws(): Promise<LawSuite[]> {
  const { capabilities = {}, name } = processReward.definition
  const suite = (what: string, options: object, more: Partial<RewardLawsOptions> = {}): LawSuite =>
    lawsOfRewardSource({
      ...{ name: `${name} (${what})`, texts, tokenizer },
      create: () => create(options),
      claims: { ...capabilities, granularity: 'granularity' in options ? options.granularity : 'step' },
      ...more,
    })
  const rules = [
    { rule: 'length', target: 6, weight: 0.5 },
    { rule: 'regex', pattern: 'o', flags: 'i', weight: -2 },
    { rule: ({ step }: { step?: { index: number } }) => (step?.index === 0 ? null : 1), name: 'later' },
  ]
  const weights = { length: 0.5, regex: -2, later: 1 }
  return [
    suite('rules', { rules }, { weights }),
    suite('rules, per token', { rules, granularity: 'token' }, { weights }),
    suite('rules, steps of 2 tokens', { rules, stepTokens: 2 }, { weights }),
    suite('model', { model: './prm', microBatchSize: 3 }),
    suite('model, per token', { model: './prm', granularity: 'token', delimiter: ' ' }),
    suite('model, probabilities', { model: './prm', output: 'probability', stepTokens: 3 }),
    lawsOfOptions({
      plugin: processReward,
      base: { model: './prm' },
      output: async (options) => (await create(options)).score({ rollouts: texts.map(scorable) }),
      alternatives: {
        model: [{ value: './other' }],
        rules: [{ value: [{ rule: 'repetition' }], refused: true }],
        output: [{ value: 'probability' }],
        delimiter: [{ value: 'e' }],
        stepTokens: [{ value: 2 }, { value: 2, with: { delimiter: 'e' }, refused: true }],
        granularity: [{ value: 'token' }],
        tokenizer: [{ value: './nowhere', refused: 'COLLIMATE_TOKENIZER_MISSING' }],
        microBatchSize: { unobservable: 'memory, not scores' },
      },
    }),
  ]
}

/** A policy that has the tokenizer, and models that differ by their folders. */
function surroundings(): Pick<PluginContext, 'bus' | 'path' | 'plugin'> {
  const bus = createBus()
  const describe = async () =>
    ({ tokenizer, outputs: ['values'] }) as unknown as Awaited<ReturnType<Policy['describe']>>
  bus.serve('policy.describe', describe)
  const plugin = async (_kind: string, { model }: { readonly model: string }) => ({
    ...prefixModel(model.length),
    describe,
  })
  return { bus, path: (relative) => relative, plugin: plugin as unknown as PluginContext['plugin'] }
}

function scorable(text: string) {
  const ids = createTokenizer(tokenizer).encode(text)
  return { prompt: { ids: Int32Array.of(1), text: 'Why?' }, completion: { ids, text }, columns: {} }
}
