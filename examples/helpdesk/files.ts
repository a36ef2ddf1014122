/**
 * The files that are made of the corpus once and for all: tokenizer/, which helpdesk.yaml names, and ../data/, rows for the
 * other examples. They are in the repository; after a change of the grammar: `npx tsx examples/helpdesk/files.ts`.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { trainByteBpe } from '@collimate/data'
import { demonstration, preference } from './rows.js'

const rowsOf = <Row>(count: number, row: (index: number) => Row): Row[] =>
  Array.from({ length: count }, (_, index) => row(index))
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Content by path, relative to this folder. */
export function helpdeskFiles(): Readonly<Record<string, string>> {
  // A byte-level BPE in which every word of the grammar is one token.
  const texts = rowsOf(2000, (index) => demonstration(1, index)).map(({ prompt, completion }) => prompt + completion)
  const { tokenizer, config } = trainByteBpe(texts, { vocabularySize: 768 })
  return {
    'tokenizer/tokenizer.json': `${JSON.stringify(tokenizer)}\n`,
    'tokenizer/tokenizer_config.json': `${JSON.stringify(config, null, 2)}\n`,
    '../data/answers.jsonl': lines(rowsOf(300, (index) => demonstration(2, index))),
    '../data/pairs.jsonl': lines(rowsOf(300, (index) => preference(2, index, 1))),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [path, content] of Object.entries(helpdeskFiles())) {
    const file = fileURLToPath(new URL(path, import.meta.url))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
}
