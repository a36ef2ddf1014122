import { copyFile, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { libraries } from './verify.js'

/** Links the libraries of `folder` beside ONNX Runtime's own, which finds them there; copies them where links are refused. */
export async function place(folder: string, beside: string): Promise<void> {
  for (const library of libraries) {
    const target = join(beside, library)
    await rm(target, { force: true })
    await symlink(join(folder, library), target).catch(() => copyFile(join(folder, library), target))
  }
}
