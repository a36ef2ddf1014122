import { CollimateError } from '@collimate/core'

/** True for an error of the operating system, such as ENOENT or ENOSPC. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** A file that cannot be read, as a coded error; other errors are returned as they are. */
export function readError(file: string, error: unknown): unknown {
  if (!isSystemError(error)) return error
  const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR'
  return new CollimateError(
    missing ? 'COLLIMATE_FILE_MISSING' : 'COLLIMATE_FILE_UNREADABLE',
    missing ? `${file} does not exist` : `${file} cannot be read (${error.code ?? error.message})`,
    { hint: missing ? 'check the path' : 'check the permissions of the file and its folder', cause: error },
  )
}

/** A file or folder that cannot be written, as a coded error; other errors are returned as they are. */
export function writeError(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error
  return new CollimateError('COLLIMATE_FILE_UNWRITABLE', `${path} cannot be written (${error.code ?? error.message})`, {
    hint: 'check the permissions, the free space, and that no file stands where a folder should be',
    cause: error,
  })
}
