import { join } from 'node:path'
import type { Backend, Example, Reference, TrainerContext } from '@collimate/core'
import { microBatches } from '@collimate/data'
import { readCache, sha256, writeCache } from './cache-file.js'
import type { LogProbsByPair } from './cache-file.js'
import { givenLogProbs } from './given-log-probs.js'
import { splitInLots } from './split-in-lots.js'

export interface ReferenceLogProbs {
  /** Per pair the log-probs of its scored tokens, chosen before rejected: from the data, from memory, or computed. */
  of(pairs: readonly Example[]): Promise<readonly (Float32Array | Float64Array)[]>
  /** Computes those of a whole split, or reads them from the cache folder. */
  prepare(split: 'train' | 'evaluation'): Promise<void>
}

type Source = Pick<TrainerContext, 'bus' | 'data' | 'cacheFolder' | 'signal'> & { readonly reference: Reference }

/**
 * Log-probs under the reference, each pair computed once. In memory a pair goes by the hash of its tokens, so neither order
 * nor split of the data matters; on disk a file belongs to the weights, the tokenised rows (thus to tokenizer, template and
 * truncation) and the device and precision that computed it.
 */
export function referenceLogProbs(
  { bus, data, cacheFolder, signal, reference }: Source,
  { backend, microBatchSize }: { readonly backend: Backend | undefined; readonly microBatchSize: number },
): ReferenceLogProbs {
  const known: LogProbsByPair = new Map()
  const prepared = new Set<string>()

  async function compute(pairs: readonly Example[]): Promise<void> {
    const { batches, order } = microBatches(pairs, { microBatchSize })
    for (const [number, batch] of batches.entries()) {
      signal.throwIfAborted()
      const logProbs = await reference.logProbs({ batch })
      let end = 0
      order[number].forEach((position, inside) => {
        const start = end
        while (batch.tokenMask[end] === 1 && batch.sequences[end] < 2 * (inside + 1)) end++
        known.set(nameOf(pairs[position]), logProbs.slice(start, end))
      })
    }
  }

  async function of(pairs: readonly Example[]) {
    const missing = new Map<string, Example>()
    for (const pair of pairs) if (!givenLogProbs(pair) && !known.has(nameOf(pair))) missing.set(nameOf(pair), pair)
    await compute([...missing.values()])
    return pairs.map((pair) => givenLogProbs(pair) ?? (known.get(nameOf(pair)) as Float32Array | Float64Array))
  }

  async function prepare(split: 'train' | 'evaluation') {
    const { weightsHash } = await reference.describe()
    const { precision, device, backend: name } = (await backend?.capabilities()) ?? {}
    const rows = split === 'train' ? data.trainFingerprint : data.evaluationFingerprint
    const key = sha256(JSON.stringify({ weightsHash, rows, name, device, precision }))
    if (prepared.has(key)) return
    const file = join(cacheFolder, `reference-log-probs-${key.slice(0, 24)}.bin`)
    const warn = (code: string, message: string) => bus.emit('warning.raised', { code, message: `${file}: ${message}` })

    const cached = await readCache(file, key)
    if (cached instanceof Map) {
      for (const [pair, values] of cached) known.set(pair, values)
      prepared.add(key)
      return
    }
    if (cached === 'unusable') warn('COLLIMATE_CACHE_UNUSABLE', 'damaged; the reference log-probs are computed again')

    const computed: LogProbsByPair = new Map()
    const lots = await splitInLots(data, split, 8 * microBatchSize)
    const total = lots.flat().length
    let done = 0
    for (const pairs of lots) {
      await of(pairs)
      for (const name of pairs.map(nameOf)) {
        const values = known.get(name)
        if (values) computed.set(name, values)
      }
      done += pairs.length
      bus.emit('progress.made', { phase: 'reference log-probs', done, total, unit: 'pairs' })
    }
    prepared.add(key)
    if (computed.size === 0) return
    await writeCache(file, key, computed).catch((error: Error) => {
      warn('COLLIMATE_CACHE_UNWRITABLE', `cannot be written (${error.message}); the reference log-probs stay in memory`)
    })
  }

  return { of, prepare }
}

/** Hash of all that the log-probs of a pair depend on apart from the weights: its tokens and masks. */
function nameOf({ prompt, completions, masks = [] }: Example): string {
  const arrays = [prompt, ...completions, ...masks]
  const bytes = arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength))
  return sha256(`${arrays.map(({ length }) => length).join()};`, ...bytes).slice(0, 32)
}
