import type { TrainerContext } from '@collimate/core'
import { lawsOfEvaluator, lawsOfOptions, type LawSuite } from '@collimate/laws'
import plugin, { answerLength, options } from './index.js'

/** The laws of this plugin: it only measures, and what it says are numbers with intervals. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfEvaluator({
      name: '__name__',
      create: () => answerLength(options.parse({})),
      claims: plugin.definition.capabilities,
    }),
    // Every option changes what comes out, or its use is refused: for each, a value that shows it.
    lawsOfOptions({
      plugin,
      output: async (given) => (await answerLength(options.parse(given)).evaluate(talkative)).metrics,
      alternatives: { prompts: [{ value: 2 }, { value: 0, refused: true }], maxNewTokens: [{ value: 5 }] },
    }),
  ]
}

/** Eight prompts, and a policy that answers every one until it is cut. */
const talkative = {
  data: {
    evaluationLength: 8,
    read: async (_split: string, indices: readonly number[]) => indices.map(() => ({ prompt: Int32Array.of(1) })),
  },
  policy: {
    generate: async ({
      prompts,
      sampling,
    }: {
      prompts: readonly Int32Array[]
      sampling: { maxNewTokens: number }
    }) => ({
      completions: prompts.map(() => new Int32Array(sampling.maxNewTokens)),
      endedBy: prompts.map(() => 'length'),
    }),
  },
  seed: 1,
  signal: new AbortController().signal,
} as unknown as TrainerContext
