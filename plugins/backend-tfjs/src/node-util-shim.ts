import util from 'node:util'

type OldUtil = typeof util & { isNullOrUndefined?: (value: unknown) => boolean; isArray?: (value: unknown) => boolean }

/**
 * Gives back what `@tensorflow/tfjs-node` 4.22.0 takes from `node:util` and Node 23 removed; nearly every op of it would
 * throw (tensorflow/tfjs issue 8609). To be called before the package is loaded.
 */
export function shimNodeUtil(): void {
  const old = util as OldUtil
  old.isNullOrUndefined ??= (value) => value === null || value === undefined
  old.isArray ??= Array.isArray
}
