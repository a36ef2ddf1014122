import { rmSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/temporary-folder.js'
import { replaceFolder, writeFileAtomically } from './atomic.js'

const temporary = temporaryFolder()

test('a file is the old one until the new one is whole', async () => {
  const file = join(temporary(), 'x')
  await writeFile(file, 'old')
  const failing = writeFileAtomically(file, async (handle) => {
    await handle.write('half')
    throw new Error('stopped')
  })
  await expect(failing).rejects.toThrow('stopped')
  expect(await readFile(file, 'utf8')).toBe('old')
  await writeFileAtomically(file, async (handle) => void (await handle.write('new')))
  expect(await readFile(file, 'utf8')).toBe('new')
  expect(await readdir(temporary())).toEqual(['x'])
})

test('moves that fail half way are undone', async () => {
  const folder = join(temporary(), 'model')
  await mkdir(folder)
  for (const name of ['a', 'b', 'old', 'mine']) await writeFile(join(folder, name), `old ${name}`)
  let working = ''
  const replacing = replaceFolder(
    folder,
    (name) => {
      // Somebody takes a new file away while the folder is looked at.
      if (name === 'old') rmSync(join(working, 'b'))
      return name === 'old'
    },
    async (target) => {
      working = target
      for (const name of ['a', 'b']) await writeFile(join(target, name), `new ${name}`)
    },
  )
  await expect(replacing).rejects.toMatchObject({ code: 'COLLIMATE_FILE_UNWRITABLE' })
  expect((await readdir(folder)).sort()).toEqual(['a', 'b', 'mine', 'old'])
  for (const name of await readdir(folder)) expect(await readFile(join(folder, name), 'utf8')).toBe(`old ${name}`)
})

test('a failure in a folder that is yet to come leaves nothing', async () => {
  const failing = replaceFolder(
    join(temporary(), 'a', 'b', 'model'),
    () => false,
    async (target) => {
      await writeFile(join(target, 'x'), '')
      throw new Error('stopped')
    },
  )
  await expect(failing).rejects.toThrow('stopped')
  expect(await readdir(temporary())).toEqual([])
})
