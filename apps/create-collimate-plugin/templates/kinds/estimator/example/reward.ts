// Likes vowels: the share of letters that are one, between 0 and 1.
import { definePlugin } from '@collimate/core'
import { z } from 'zod'

const share = (text: string): number => (text.match(/[aeiou]/gi)?.length ?? 0) / Math.max(1, text.length)

export default definePlugin({
  name: 'example-vowels',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'reward',
  description: 'Share of characters that are vowels',
  options: z.strictObject({}),
  create: () => ({
    score: async ({ rollouts }) => ({
      granularity: 'sequence',
      scores: rollouts.map(({ completion }) => Float64Array.of(share(completion.text))),
    }),
    close: async () => {},
  }),
})
