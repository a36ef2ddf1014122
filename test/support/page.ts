import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './cli.js'

/** A block of code on a page of docs/. */
export interface Block {
  readonly language: string
  readonly code: string
  /** The file that the sentence before it says it is, as in "`src/index.ts`, the whole file:". */
  readonly file?: string
}

/** The blocks of code of a page below docs/ by chapter (the text of its `##`; '' before the first one), in order. */
export function blocksOf(page: string): Map<string, Block[]> {
  const chapters = new Map<string, Block[]>()
  for (const chapter of `\n${readFileSync(join(root, 'docs', page), 'utf8')}`.split('\n## ')) {
    const blocks = [...chapter.matchAll(/(?:`(src\/[\w./-]+)`(?:, the whole file)?:\n\n)?^```(\w*)\n([^]*?)^```$/gm)]
    chapters.set(
      chapters.size === 0 ? '' : chapter.slice(0, chapter.indexOf('\n')),
      blocks.map(([, file, language, code]) => ({ language, code, ...(file !== undefined && { file }) })),
    )
  }
  return chapters
}
