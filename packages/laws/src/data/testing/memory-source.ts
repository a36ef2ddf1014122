import { CollimateError, type DataRequest, type DataSource, type Example, permutation, stream } from '@collimate/core'
import { prepareExamples, type PreparedSplit } from '@collimate/data'
import type { Row } from '../rows.js'

/** What is changed in the source below for a law to find. */
export interface SourceFaults {
  request?(request: DataRequest): DataRequest
  rows?(rows: readonly Row[]): readonly Row[]
  example?(example: Example, request: DataRequest): Example
  read?(examples: readonly Example[], indices: readonly number[]): readonly Example[]
  fingerprint?(fingerprint: string, request: DataRequest): string
  dropped?(dropped: PreparedSplit['dropped']): PreparedSplit['dropped']
  held?(length: number, held: number, request: DataRequest): readonly number[]
  overlap?: boolean
  afterClose?: boolean
}

/** A right source of rows in memory. */
export function memorySource(rows: readonly Row[], held: number, faults: SourceFaults = {}): DataSource {
  let splits: { train: readonly Example[]; evaluation: readonly Example[] } | undefined
  return {
    async open(given) {
      const request = faults.request?.(given) ?? given
      const sources = (faults.rows?.(rows) ?? rows).map((value, index) => ({
        value,
        file: 'memory',
        line: index + 1,
        index,
      }))
      const out =
        faults.held?.(sources.length, held, request) ??
        permutation(request.seed, stream('split'), sources.length).slice(0, held)
      const chosen = new Set(out)
      const prepare = async (part: typeof sources): Promise<PreparedSplit> => {
        const split = await prepareExamples(part, request)
        return { ...split, examples: split.examples.map((example) => faults.example?.(example, request) ?? example) }
      }
      const train = await prepare(sources.filter(({ index }) => faults.overlap || !chosen.has(index)))
      const evaluation = chosen.size > 0 ? await prepare(sources.filter(({ index }) => chosen.has(index))) : undefined
      splits = { train: train.examples, evaluation: evaluation?.examples ?? [] }
      const { length } = train.examples
      return {
        train: { length, fingerprint: faults.fingerprint?.(train.info.fingerprint, given) ?? train.info.fingerprint },
        ...(evaluation && { evaluation: evaluation.info }),
        dropped: faults.dropped?.(train.dropped) ?? train.dropped,
      }
    },
    async read({ split, indices }) {
      if (!splits) throw new CollimateError('COLLIMATE_DATA_NOT_OPEN', 'not open')
      const examples = splits[split]
      if (faults.read) return faults.read(examples, indices)
      return indices.map((index) => {
        if (examples[index] === undefined) throw new CollimateError('COLLIMATE_DATA_RANGE', `${index}`)
        return examples[index]
      })
    },
    async close() {
      if (!faults.afterClose) splits = undefined
    },
  }
}
