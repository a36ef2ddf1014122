import { lawsOfOptions, lawsOfRewardSource, type LawSuite } from '@collimate/laws'
import plugin, { lengthReward, options } from './index.js'

/** The laws of this plugin: `npm test`, `collimate laws` and everyone who installs it check them. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfRewardSource({
      name: '__name__',
      create: () => lengthReward(options.parse({})),
      claims: plugin.definition.capabilities,
    }),
    // Every option changes what comes out, or its use is refused: for each, a value that shows it.
    lawsOfOptions({
      plugin,
      output: (given) =>
        lengthReward(options.parse(given)).score({ rollouts: ['', 'two words', 'a b c d'].map(answer) }),
      alternatives: {
        target: [{ value: 5 }, { value: 1, with: { unit: 'characters' }, refused: 'COLLIMATE_OPTION_CONFLICT' }],
        unit: [{ value: 'characters' }],
      },
    }),
  ]
}

const answer = (text: string) => ({
  prompt: { ids: new Int32Array(0), text: 'How are you?' },
  completion: { ids: new Int32Array(0), text },
  columns: {},
})
