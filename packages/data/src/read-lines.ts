import { CollimateError } from '@collimate/core'

/** One line of a file, numbered from 1, without its line end. */
export interface Line {
  readonly number: number
  readonly text: string
}

/** Splits bytes at line feeds. UTF-8 is checked line by line, so that an error can name the line. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Line> {
  let held: Uint8Array[] = []
  let number = 1
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      held.push(chunk.subarray(start, end))
      yield { number, text: decodeUtf8(held, file, number) }
      held = []
      number += 1
      start = end + 1
    }
    if (start < chunk.length) held.push(chunk.subarray(start))
  }
  if (held.length > 0) yield { number, text: decodeUtf8(held, file, number) }
}

/** Fatal decoding; a byte order mark at the beginning is dropped, and the return of a Windows line end. */
function decodeUtf8(parts: readonly Uint8Array[], file: string, line: number): string {
  const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: line > 1 }).decode(bytes)
    return text.endsWith('\r') ? text.slice(0, -1) : text
  } catch (cause) {
    throw new CollimateError('COLLIMATE_DATA_ENCODING_INVALID', `${file}, line ${line}: not valid UTF-8`, {
      hint: 'save the file as UTF-8',
      cause,
    })
  }
}
