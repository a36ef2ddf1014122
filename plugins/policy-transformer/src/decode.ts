import { CollimateError } from '@collimate/core'
import type { TensorData } from '@collimate/core'
import type { DecodeSession } from './decode-session.js'
import { filled, programRows, roundUp } from './schedule.js'
import type { DecodeBatch } from './schedule.js'

/** Added to the attention scores of slots that a row does not see. */
const UNSEEN = -1e9

export interface DecodeRequest {
  readonly batch: DecodeBatch
  readonly prompts: readonly Int32Array[]
  /** Most new tokens of each prompt. */
  readonly allowances: readonly number[]
  readonly stopTokens: ReadonlySet<number>
  readonly contextLength: number
  /** 0 = greedy. */
  readonly temperature: number
  /** The uniform number that decides token `index` of a prompt's completion. */
  readonly uniform: (prompt: number, index: number) => number
}

export interface Completion {
  /** Number of the prompt in the request. */
  readonly prompt: number
  readonly tokens: Int32Array
  readonly logProbs: Float32Array
  readonly endedBy: 'stop' | 'length'
}

/** One row of the programs: a completion in the making, or a filler (`live` from the start false). */
interface Row {
  readonly prompt: number
  readonly ids: Int32Array
  readonly allowance: number
  readonly tokens: number[]
  readonly logProbs: number[]
  endedBy: 'stop' | 'length'
  live: boolean
}

/**
 * Decodes one batch: a prefill that reads the prompts and samples the first tokens, then one step per token, until every
 * row has ended. When the cache is full, the rows that still live move into a larger one.
 */
export async function decode(session: DecodeSession, request: DecodeRequest): Promise<readonly Completion[]> {
  const { batch, stopTokens } = request
  const started = batch.prompts.map((prompt) => startRow(request, prompt))
  let rows = withFillers(started, batch.rows)

  const accept = ({ tokens, logProbs }: Record<string, TensorData>): void =>
    rows.forEach((row, at) => {
      if (row.live) append(row, tokens[at], logProbs[at], stopTokens)
    })

  accept(await session.prefill(batch.width, { ...prefillFeeds(rows, batch.width), ...samplingFeeds(request, rows, 0) }))
  for (let index = 1; rows.some((row) => row.live); index++) {
    const slot = batch.width + index - 1
    if (slot === session.size.capacity) {
      const live = rows.flatMap((row, at) => (row.live ? [at] : []))
      const count = programRows(live.length, rows.length)
      await session.move(Int32Array.from(filled(live, count)), Math.min(batch.capacity, roundUp(2 * slot)))
      rows = withFillers(
        live.map((at) => rows[at]),
        count,
      )
    }
    const limit = Math.min(session.size.capacity, request.contextLength)
    accept(
      await session.step({
        tokens: Int32Array.from(rows, (row) => row.tokens.at(-1) ?? 0),
        positions: Int32Array.from(rows, (row) => Math.min(row.ids.length + index - 1, limit - 1)),
        visible: visibility(rows, session.size.capacity, batch.width, slot),
        slot: Int32Array.of(slot),
        ...samplingFeeds(request, rows, index),
      }),
    )
  }

  return started.map(({ prompt, tokens, logProbs, endedBy }) => ({
    prompt,
    tokens: Int32Array.from(tokens),
    logProbs: Float32Array.from(logProbs),
    endedBy,
  }))
}

/** The rows and, up to `count`, copies of the first that count as ended. */
function withFillers(rows: readonly Row[], count: number): readonly Row[] {
  return filled(rows, count).map((row, at) => (at < rows.length ? row : { ...row, live: false }))
}

function startRow({ prompts, allowances }: DecodeRequest, prompt: number): Row {
  return {
    prompt,
    ids: prompts[prompt],
    allowance: allowances[prompt],
    tokens: [],
    logProbs: [],
    endedBy: 'length',
    live: true,
  }
}

function append(row: Row, token: number, logProb: number, stopTokens: ReadonlySet<number>): void {
  if (!Number.isFinite(logProb))
    throw new CollimateError(
      'COLLIMATE_NOT_FINITE',
      `sampling token ${row.tokens.length} of completion ${row.prompt}: its log-probability is ${logProb}`,
      { hint: 'The weights have diverged: go back to an earlier checkpoint and lower the learning rate.' },
    )
  row.tokens.push(token)
  row.logProbs.push(logProb)
  if (stopTokens.has(token)) row.endedBy = 'stop'
  row.live = row.endedBy !== 'stop' && row.tokens.length < row.allowance
}

function prefillFeeds(rows: readonly Row[], width: number): Record<string, TensorData> {
  const tokens = new Int32Array(rows.length * width)
  rows.forEach(({ ids }, row) => tokens.set(ids, row * width))
  const last = Int32Array.from(rows, ({ ids }, row) => row * width + ids.length - 1)
  return { tokens, last, slot: Int32Array.of(0) }
}

function samplingFeeds(
  { temperature, uniform }: DecodeRequest,
  rows: readonly Row[],
  index: number,
): Record<string, TensorData> {
  if (temperature === 0) return {}
  return {
    inverseTemperature: Float32Array.of(1 / temperature),
    uniforms: Float32Array.from(rows, (row) => (row.live ? uniform(row.prompt, index) : 0)),
  }
}

/** [B, C] 0 for the slots that a row sees, its prompt and what was decoded before `slot`; −1e9 for the others. */
function visibility(rows: readonly Row[], capacity: number, width: number, slot: number): Float32Array {
  const scores = new Float32Array(rows.length * capacity).fill(UNSEEN)
  rows.forEach(({ ids }, row) => {
    scores.fill(0, row * capacity, row * capacity + ids.length)
    scores.fill(0, row * capacity + width, row * capacity + slot)
  })
  return scores
}
