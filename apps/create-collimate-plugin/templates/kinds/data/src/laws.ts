import { lawsOfDataset, lawsOfOptions, type LawSuite } from '@collimate/laws'
import plugin, { memorySource, options, rowsOf } from './index.js'

/** The laws of this plugin, over rows that the laws choose: what texts become, which rows are there, how they are read. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    ...(['prompt-completion', 'preference'] as const).map((type) =>
      lawsOfDataset({
        name: '__name__',
        type,
        create: (rows) => memorySource(() => ({ train: rows, evaluation: [] })),
        claims: plugin.definition.capabilities,
      }),
    ),
    // Every option changes what comes out, or its use is refused: for each, a value that shows it.
    lawsOfOptions({
      plugin,
      output: (given) => rowsOf(options.parse(given))(1),
      alternatives: {
        train: [{ value: 3 }, { value: 0, refused: true }],
        evaluate: [{ value: 0 }],
        largest: [{ value: 99 }],
      },
    }),
  ]
}
