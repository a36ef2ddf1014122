import { CollimateError } from '@collimate/core'
import { readFile } from 'node:fs/promises'
import { isJsonObject, type JsonObject } from '../json-object.js'
import { isSystemError, readError } from './file-errors.js'

/**
 * Reads a file that holds one JSON object.
 *
 * @throws CollimateError COLLIMATE_FILE_MISSING, _UNREADABLE, or COLLIMATE_JSON_INVALID with the parser's position
 */
export async function readJsonObject(file: string): Promise<JsonObject> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw readError(file, error)
    throw new CollimateError('COLLIMATE_JSON_INVALID', `${file} is not JSON: ${error.message}`, {
      hint: 'correct the file or copy it again',
      cause: error,
    })
  }
  if (isJsonObject(json)) return json
  throw new CollimateError('COLLIMATE_JSON_INVALID', `${file} does not hold a JSON object`, {
    hint: 'correct the file or copy it again',
  })
}

/** The object in the file, or undefined where there is no such file. */
export async function readOptionalJsonObject(file: string): Promise<JsonObject | undefined> {
  try {
    return await readJsonObject(file)
  } catch (error) {
    if (error instanceof CollimateError && error.code === 'COLLIMATE_FILE_MISSING') return undefined
    throw error
  }
}

/** The text of the file, or undefined where there is no such file. */
export async function readOptionalText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined
    throw readError(file, error)
  }
}
