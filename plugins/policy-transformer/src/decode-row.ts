import { CollimateError } from '@collimate/core'

/** A completion in the making. It waits, occupies a row of the programs, or has ended. */
export interface Row {
  /** Number of the prompt in the request. */
  readonly number: number
  /** What is read when it enters: the prompt, and what was sampled before where it enters again. */
  readonly ids: Int32Array
  /** Tokens of the completion among them. */
  readonly before: number
  /** Equal for rows with equal `ids` that never were in the cache. */
  readonly content: number
  /** Most tokens of the completion. */
  readonly allowance: number
  readonly tokens: number[]
  readonly logProbs: number[]
  endedBy: 'stop' | 'length'
  /** It gets further tokens. */
  live: boolean
}

/** One row for each prompt; `allowances` are the new tokens that each may get. */
export function startRows(prompts: readonly Int32Array[], allowances: readonly number[]): readonly Row[] {
  const firsts = new Map<string, number>()
  return prompts.map((ids, number) => {
    const key = ids.join()
    const content = firsts.get(key) ?? number
    firsts.set(key, content)
    const allowance = allowances[number]
    return { number, ids, before: 0, content, allowance, tokens: [], logProbs: [], endedBy: 'length', live: true }
  })
}

/** A row that gives up its place, to enter again later: what it has in the cache is then read like a prompt. */
export function readAgain(row: Row): Row {
  const ids = Int32Array.from([...row.ids, ...row.tokens.slice(row.before)])
  return { ...row, ids, before: row.tokens.length, content: -1 - row.number }
}

/** Tokens that its steps have put into the cache: what was sampled here but the last token, which the next step feeds. */
export const ageOf = ({ tokens, before }: Row): number => tokens.length - before - 1

/** Appends a sampled token, which may end the completion. COLLIMATE_NOT_FINITE where its log-probability is no number. */
export function append(row: Row, token: number, logProb: number, stopTokens: ReadonlySet<number>): void {
  if (!Number.isFinite(logProb))
    throw new CollimateError(
      'COLLIMATE_NOT_FINITE',
      `sampling token ${row.tokens.length} of completion ${row.number}: its log-probability is ${logProb}`,
      {
        hint: 'The weights have diverged: go back to an earlier checkpoint and lower the learning rate; or precision float16 is too narrow for this model: try float32.',
      },
    )
  row.tokens.push(token)
  row.logProbs.push(logProb)
  if (stopTokens.has(token)) row.endedBy = 'stop'
  row.live = row.endedBy !== 'stop' && row.tokens.length < row.allowance
}
