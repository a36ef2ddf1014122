import { lawsOfRewardSource, type LawSuite } from '@collimate/laws'
import plugin, { lengthReward, options } from './index.js'

/** The laws of this plugin: `npm test`, `collimate laws` and everyone who installs it check them. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfRewardSource({
      name: '__name__',
      create: async () => lengthReward(options.parse({})),
      claims: plugin.definition.capabilities,
    }),
  ]
}
