/**
 * Trains the helpdesk's byte-level BPE on its corpus and writes it to tokenizer/, where helpdesk.yaml finds it.
 * It is in the repository; run this after a change of the grammar: `npx tsx examples/helpdesk/tokenizer.ts`.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { TokenizerFiles } from '@collimate/core'
import { trainByteBpe } from '@collimate/data'
import { demonstration } from './rows.js'

export const vocabularySize = 768

export function helpdeskTokenizer(): TokenizerFiles {
  const rows = Array.from({ length: 2000 }, (_, row) => demonstration(1, row))
  return trainByteBpe(
    rows.map(({ prompt, completion }) => prompt + completion),
    { vocabularySize },
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = new URL('tokenizer/', import.meta.url)
  const { tokenizer, config } = helpdeskTokenizer()
  await mkdir(folder, { recursive: true })
  await writeFile(new URL('tokenizer.json', folder), `${JSON.stringify(tokenizer)}\n`)
  await writeFile(new URL('tokenizer_config.json', folder), `${JSON.stringify(config, null, 2)}\n`)
}
