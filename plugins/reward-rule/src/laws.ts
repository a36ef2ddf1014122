import { parsePluginOptions, type RewardSource } from '@collimate/core'
import { lawsOfOptions, lawsOfRewardSource, type LawSuite, type RewardLawsOptions } from '@collimate/laws'
import { createRules, type RuleEntry } from '@collimate/rewards'
import { rule, type RuleOptions, ruleReward } from './index.js'

const create = async (options: unknown): Promise<RewardSource> => {
  const { rules } = parsePluginOptions(rule, options) as unknown as RuleOptions
  return ruleReward(await createRules(rules, { path: (relative) => relative }))
}

/** The laws of reward sources for each ready rule, for several together, and for functions. */
export default async function laws(): Promise<LawSuite[]> {
  const { capabilities = {}, name } = rule.definition
  const suite = (
    what: string,
    rules: readonly RuleEntry[],
    more: Partial<RewardLawsOptions> & { readonly bounded?: readonly [number, number] },
  ): LawSuite => {
    const { bounded, ...options } = more
    return lawsOfRewardSource({
      name: `${name} (${what})`,
      create: () => create({ rules }),
      claims: { ...capabilities, ...(bounded && { bounded }) },
      ...options,
    })
  }
  const columns = ['4', '#### 1,000', 'yes 4.', 4].map((answer) => ({ answer }))
  return [
    ...(['exact-answer', 'numeric-answer'] as const).map((one) =>
      suite(one, [{ rule: one }], { columns, weights: { [one]: 1 }, bounded: [0, 1] }),
    ),
    suite('regex', [{ rule: 'regex', pattern: '[aeiou]\\w', flags: 'i' }], { weights: { regex: 1 }, bounded: [0, 1] }),
    suite('length', [{ rule: 'length', target: 4 }], { weights: { length: 1 }, bounded: [-1, 0] }),
    suite('length, max', [{ rule: 'length', max: 4, buffer: 3, unit: 'words' }], {
      weights: { length: 1 },
      bounded: [-1, 0],
    }),
    suite('lexicon', [{ rule: 'lexicon' }], {
      texts: ['very good', 'not so good, sad', 'The cat sat.', ''],
      weights: { lexicon: 1 },
      bounded: [-1, 1],
    }),
    suite('repetition', [{ rule: 'repetition', ngramSize: 1 }], { weights: { repetition: 1 }, bounded: [-1, 0] }),
    suite(
      'several',
      [
        { rule: 'missing-eos', weight: 2 },
        { rule: 'length', target: 9, weight: -0.5, name: 'tall' },
      ],
      {
        weights: { 'missing-eos': 2, tall: -0.5 },
        bounded: [-2, 0.5],
      },
    ),
    suite(
      'functions',
      [
        { rule: ({ completion }) => completion.length / 8, name: 'sync' },
        {
          rule: async ({ completion }) => {
            await new Promise((resolve) => setImmediate(resolve))
            return completion === '' ? null : 1
          },
          weight: 3,
          name: 'async',
        },
      ],
      { weights: { sync: 1, async: 3 } },
    ),
    lawsOfOptions({
      plugin: rule,
      base: { rules: [{ rule: 'length', target: 3 }] },
      output: async (options) => (await create(options)).score({ rollouts: [scorable('a b a b'), scorable('a')] }),
      alternatives: { rules: uses.map((rules) => ({ value: rules })).concat(refusals) },
    }),
  ]
}

const uses: readonly (readonly object[])[] = [
  [{ rule: 'length', target: 5 }],
  [{ rule: 'length', target: 3, weight: 2 }],
  [{ rule: 'length', target: 3, name: 'brief' }],
  [{ rule: 'length', target: 3, scale: 9 }],
  [{ rule: 'length', target: 3, unit: 'words' }],
  [{ rule: 'length', max: 4 }],
  [{ rule: 'length', max: 4, buffer: 2 }],
  [{ rule: 'regex', pattern: 'b' }],
  [{ rule: 'regex', pattern: 'B', flags: 'i', name: 'b' }],
  [{ rule: 'repetition' }],
  [{ rule: 'repetition', ngramSize: 1, name: 'words' }],
  [{ rule: 'exact-answer' }],
  [{ rule: 'exact-answer', column: 'other', name: 'by-column' }],
  [{ rule: 'exact-answer', mark: 'b', name: 'by-mark' }],
  [{ rule: 'numeric-answer', column: 'number' }],
]
const refusals = [
  [],
  [{ rule: 'lenght', target: 3 }],
  [{ rule: 'length', tagret: 3 }],
  [{ rule: 'regex', pattern: '(' }],
  [{ rule: './nowhere.ts' }],
].map((value) => ({ value, refused: true as const }))

const scorable = (text: string) => ({
  prompt: { ids: Int32Array.of(1), text: 'Why?' },
  completion: { ids: Int32Array.from(text, (letter) => letter.charCodeAt(0)), text },
  columns: { answer: 'a', other: 'c', number: 3 },
})
