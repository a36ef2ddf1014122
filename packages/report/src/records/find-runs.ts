import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CollimateError } from '@collimate/core'
import { isRunFolder } from './read-run.js'

/**
 * The run folders that a path means: itself; where it is the output of a training command, its `run`; where it is the folder
 * of a pipeline, each run in it, in the order in which they began.
 *
 * @throws CollimateError COLLIMATE_RUN_FOLDER_MISSING where there is none
 */
export function findRuns(path: string): string[] {
  const folder = resolve(path)
  if (isRunFolder(folder)) return [folder]
  const inside =
    existsSync(folder) && statSync(folder).isDirectory()
      ? readdirSync(folder)
          .map((name) => join(folder, name))
          .flatMap((inner) => [inner, join(inner, 'run')])
          .filter(isRunFolder)
      : []
  if (inside.length > 0) return inside
  throw new CollimateError('COLLIMATE_RUN_FOLDER_MISSING', `${folder} is not a run folder and holds none`, {
    hint: 'give run folders (they hold manifest.json), the folder of a pipeline, or an experiment file',
  })
}
