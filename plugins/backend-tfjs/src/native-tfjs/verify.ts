import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { nativeTfjsFailure } from './failure.js'

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** Refuses a file whose sha256 is not the expected one, and one that is not there. */
export async function verify(path: string, expected: string): Promise<void> {
  const found = await digestOf(path).catch((error: NodeJS.ErrnoException) => {
    throw nativeTfjsFailure(`${path} cannot be read: ${error.message}`, 'delete the folder and run this again')
  })
  if (found === expected) return
  throw nativeTfjsFailure(
    `${path} has sha256 ${found}, ${expected} is expected`,
    `another ${basename(path)} than this version of Collimate knows; delete it and run this again`,
  )
}
