import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

/** A fresh folder for each test of the file; removed after it. */
export function temporaryFolder(): () => string {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'collimate-models-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  return () => folder
}
