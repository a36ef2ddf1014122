import { createBus } from '@collimate/core'
import { input, neg, program } from '@collimate/graph'
import { lawsOfBackend, lawsOfOptions, type LawSuite } from '@collimate/laws'
import plugin, { createBackend, options } from './index.js'

/** The laws of this plugin: every op against the interpreter, updates, refusals, what is alive, and options. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    lawsOfBackend({
      name: '__name__',
      create: () => createBackend(options.parse({}), createBus()),
      // Largest relative error of a value: about 1e-9 for float64, 2e-5 for float32.
      tolerance: 1e-9,
      claims: plugin.definition.capabilities,
    }),
    // Every option changes what comes out, or its use is refused: for each, a value that shows it.
    lawsOfOptions({
      plugin,
      output: (given) => eventsOfFourRuns(options.parse(given)),
      alternatives: { every: [{ value: 2 }, { value: 0, refused: true }] },
    }),
  ]
}

async function eventsOfFourRuns(chosen: { readonly every: number }): Promise<readonly unknown[]> {
  const bus = createBus()
  const told: unknown[] = []
  bus.on('backend.counted', ({ runs }) => told.push(runs))
  const backend = createBackend(chosen, bus)
  const executable = await backend.compile({
    program: program({ name: 'negate', outputs: { y: neg(input('x', [1])) } }),
  })
  for (let run = 0; run < 4; run++) await backend.run({ executable, feeds: { x: Float64Array.of(run) } })
  await backend.close()
  return told
}
