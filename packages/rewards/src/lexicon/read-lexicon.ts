import { readFile } from 'node:fs/promises'
import { CollimateError } from '@collimate/core'
import type { Lexicon } from './lexicon.js'

/**
 * Reads a lexicon in VADER's format (Hutto and Gilbert 2014): a line each of token, tab, valence; further columns are left
 * alone. Capitals do not count; of a token that stands twice the line in small letters does, and of two of those the last.
 *
 * @throws CollimateError COLLIMATE_REWARD_LEXICON_INVALID with file and line
 */
export async function readLexicon(file: string): Promise<Lexicon> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw invalid(`${file} cannot be read: ${cause.message}`, cause)
  })
  const lexicon = new Map<string, number>()
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue
    const [token, valence = ''] = line.split('\t')
    if (token === '' || valence.trim() === '' || !Number.isFinite(Number(valence)))
      throw invalid(`${file}, line ${at + 1}: expected a token, a tab and its valence, found ${shown(line)}`)
    const small = token.toLowerCase()
    if (token === small || !lexicon.has(small)) lexicon.set(small, Number(valence))
  }
  if (lexicon.size === 0) throw invalid(`${file} holds no word`)
  return lexicon
}

const shown = (line: string): string => JSON.stringify(line.slice(0, 60))

function invalid(problem: string, cause?: unknown): CollimateError {
  return new CollimateError('COLLIMATE_REWARD_LEXICON_INVALID', problem, {
    hint: 'a lexicon has a line for each token: happy<tab>2.7',
    ...(cause !== undefined && { cause }),
  })
}
