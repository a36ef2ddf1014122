import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBus } from '@collimate/core'
import { filesOptions, filesSource } from '@collimate/data-files'
import { lawsOfDataset } from '@collimate/laws'
import { dataMutations, type CreateSource } from './datasets.js'
import { mutantsOf } from './mutant.js'

/** Rows written to a file and read back; the folder goes when the suite is closed. */
function inFiles() {
  let folder: Promise<string> | undefined
  let count = 0
  const place = (): Promise<string> => (folder ??= mkdtemp(join(tmpdir(), 'collimate-mutants-')))
  const right: CreateSource = async (rows, held) => {
    const file = join(await place(), `${++count}.jsonl`)
    await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const options = filesOptions.parse({ train: file, ...(held > 0 && { evaluate: held }) })
    return filesSource(options, { bus: createBus(), path: (path) => path, signal: new AbortController().signal })
  }
  const close = async (): Promise<void> => {
    if (folder) await rm(await folder, { recursive: true, force: true })
    folder = undefined
  }
  return { right, close }
}

const { right, close } = inFiles()

export const datasets = mutantsOf<CreateSource>({
  subject: 'pairs from a file',
  right,
  suite: (create, name) => lawsOfDataset({ name, create, close, type: 'preference', claims: { split: true } }),
  mutations: dataMutations,
})
