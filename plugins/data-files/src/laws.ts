import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBus, type DatasetType, type PluginContext } from '@collimate/core'
import { lawsOfDataset, type LawSuite, shared } from '@collimate/laws'
import files, { filesOptions, filesSource } from './index.js'

const types: readonly DatasetType[] = [
  'language-modeling',
  'prompt-only',
  'prompt-completion',
  'preference',
  'stepwise',
]

/** The laws of data, on rows written to a JSONL file, for every dataset type. */
export default async function laws(): Promise<LawSuite[]> {
  return types.map((type) => {
    const folder = shared(
      () => mkdtemp(join(tmpdir(), 'collimate-laws-')),
      (path) => rm(path, { recursive: true, force: true }),
    )
    let count = 0
    return lawsOfDataset({
      name: files.definition.name,
      type,
      claims: files.definition.capabilities ?? {},
      create: async (rows, held) => {
        const file = join(await folder.get(), `${++count}.jsonl`)
        await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
        const options = filesOptions.parse({ train: file, ...(held > 0 && { evaluate: held }) })
        return filesSource(options, surroundings())
      },
      close: folder.close,
    })
  })
}

const surroundings = (): Pick<PluginContext, 'bus' | 'path' | 'signal'> => ({
  bus: createBus(),
  path: (relative) => relative,
  signal: new AbortController().signal,
})
