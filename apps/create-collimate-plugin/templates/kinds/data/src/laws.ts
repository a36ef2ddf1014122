import { lawsOfDataset, type LawSuite } from '@collimate/laws'
import plugin, { memorySource } from './index.js'

/** The laws of this plugin, over rows that the laws choose: what texts become, which rows are there, how they are read. */
export default async function laws(): Promise<LawSuite[]> {
  return (['prompt-completion', 'preference'] as const).map((type) =>
    lawsOfDataset({
      name: '__name__',
      type,
      create: async (rows, held) =>
        memorySource(() => ({ train: rows.slice(0, rows.length - held), evaluation: rows.slice(rows.length - held) })),
      claims: plugin.definition.capabilities,
    }),
  )
}
