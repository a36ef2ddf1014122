import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CollimateError } from '@collimate/core'

/** The bytes of a file in chunks; a name that ends in `.gz` is unpacked on the way. */
export async function* readBytes(file: string): AsyncGenerator<Uint8Array> {
  const info = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR'
    throw new CollimateError(
      missing ? 'COLLIMATE_DATA_FILE_MISSING' : 'COLLIMATE_DATA_FILE_UNREADABLE',
      missing ? `${file}: no such file` : `${file}: cannot be read: ${cause.message}`,
      {
        hint: missing
          ? 'check the path; relative paths start at the folder of the experiment'
          : 'check its permissions',
        cause,
      },
    )
  })
  if (!info.isFile()) {
    throw new CollimateError('COLLIMATE_DATA_FILE_UNREADABLE', `${file}: is not a file`, {
      hint: 'give the path of one data file',
    })
  }
  if (info.size === 0) throw emptyFile(file)
  const gzip = file.endsWith('.gz')
  const source = createReadStream(file)
  // The pipeline's callback takes the error because iterating over the stream throws it too.
  const stream = gzip ? pipeline(source, createGunzip(), () => undefined) : source
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } catch (cause) {
    const unpacking = gzip && String((cause as NodeJS.ErrnoException).code).startsWith('Z_')
    throw new CollimateError(
      unpacking ? 'COLLIMATE_DATA_GZIP_INVALID' : 'COLLIMATE_DATA_FILE_UNREADABLE',
      `${file}: cannot be ${unpacking ? 'unpacked' : 'read'}: ${(cause as Error).message}`,
      { hint: unpacking ? 'the file is not gzip, or was cut short' : 'check the disk', cause },
    )
  }
}

export function emptyFile(file: string): CollimateError {
  return new CollimateError('COLLIMATE_DATA_FILE_EMPTY', `${file}: has no rows`, {
    hint: 'a data file needs at least one row',
  })
}
