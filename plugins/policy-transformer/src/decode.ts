import { CollimateError } from '@collimate/core'
import type { StateId, TensorData } from '@collimate/core'
import type { DecodeBatch } from './schedule.js'

/** One run of the prefill or step program on the backend: its feeds in, `tokens` [B] and `logProbs` [B] out. */
export type DecodeRun = (
  program: 'prefill' | 'step',
  feeds: Record<string, TensorData>,
) => Promise<Record<string, TensorData>>

export interface DecodeRequest {
  readonly batch: DecodeBatch
  readonly prompts: readonly Int32Array[]
  /** Most new tokens of each prompt. */
  readonly allowances: readonly number[]
  readonly stopTokens: ReadonlySet<number>
  /** Positions are below it. */
  readonly positionLimit: number
  /** 0 = greedy. */
  readonly temperature: number
  /** The uniform number that decides token `index` of a prompt's completion. */
  readonly uniform: (prompt: number, index: number) => number
}

export interface Completion {
  readonly tokens: Int32Array
  readonly logProbs: Float32Array
  readonly endedBy: 'stop' | 'length'
}

/** Names the state set that holds the keys and values of a batch. */
export type Cache = StateId

/**
 * Decodes one batch: a prefill that reads the prompts and samples the first tokens, then one step per token, until every
 * row has ended. Rows that have ended go on computing; what they give is not looked at.
 */
export async function decode(run: DecodeRun, request: DecodeRequest): Promise<readonly Completion[]> {
  const { batch, stopTokens, temperature } = request
  const rows = Array.from({ length: batch.rows }, (_, row) => createRow(request, row))
  const visible = new Float32Array(batch.rows * batch.capacity).fill(-Infinity)
  rows.forEach((row, index) => visible.fill(0, index * batch.capacity, index * batch.capacity + row.prompt.length))
  const next = new Int32Array(batch.rows)

  const sample = async (program: 'prefill' | 'step', index: number, feeds: Record<string, TensorData>) => {
    if (temperature > 0) {
      feeds['inverseTemperature'] = Float32Array.of(1 / temperature)
      feeds['uniforms'] = Float32Array.from(rows, (row) => (row.live ? request.uniform(row.index, index) : 0))
    }
    const { tokens, logProbs } = await run(program, feeds)
    rows.forEach((row, at) => {
      next[at] = tokens[at]
      if (row.live) accept(row, tokens[at], logProbs[at], stopTokens)
    })
    return rows.some((row) => row.live)
  }

  let live = await sample('prefill', 0, prefillFeeds(batch, rows))
  for (let index = 1; live; index++) {
    const slot = batch.width + index - 1
    live = await sample('step', index, {
      tokens: next.slice(),
      positions: Int32Array.from(rows, (row) => Math.min(row.prompt.length + index - 1, request.positionLimit - 1)),
      visible: visible.slice(),
      slot: Int32Array.of(slot),
    })
    rows.forEach((_, row) => (visible[row * batch.capacity + slot] = 0))
  }

  return rows.slice(0, batch.prompts.length).map((row) => ({
    tokens: Int32Array.from(row.tokens),
    logProbs: Float32Array.from(row.logProbs),
    endedBy: row.endedBy,
  }))
}

interface Row {
  /** Number of the prompt in the request. */
  readonly index: number
  readonly prompt: Int32Array
  readonly allowance: number
  readonly tokens: number[]
  readonly logProbs: number[]
  endedBy: 'stop' | 'length'
  live: boolean
}

function createRow({ batch, prompts, allowances }: DecodeRequest, row: number): Row {
  // A row beyond the prompts repeats the first one and counts as ended.
  const real = row < batch.prompts.length
  const index = batch.prompts[real ? row : 0]
  return {
    index,
    prompt: prompts[index],
    allowance: allowances[index],
    tokens: [],
    logProbs: [],
    endedBy: 'length',
    live: real,
  }
}

function accept(row: Row, token: number, logProb: number, stopTokens: ReadonlySet<number>): void {
  if (!Number.isFinite(logProb))
    throw new CollimateError(
      'COLLIMATE_NOT_FINITE',
      `sampling token ${row.tokens.length} of completion ${row.index}: its log-probability is ${logProb}`,
      { hint: 'The weights have diverged: go back to an earlier checkpoint and lower the learning rate.' },
    )
  row.tokens.push(token)
  row.logProbs.push(logProb)
  if (stopTokens.has(token)) row.endedBy = 'stop'
  row.live = row.endedBy !== 'stop' && row.tokens.length < row.allowance
}

function prefillFeeds(batch: DecodeBatch, rows: readonly Row[]): Record<string, TensorData> {
  const tokens = new Int32Array(batch.rows * batch.width)
  rows.forEach((row, index) => tokens.set(row.prompt, index * batch.width))
  const last = Int32Array.from(rows, (row, index) => index * batch.width + row.prompt.length - 1)
  return { tokens, last, slot: Int32Array.of(0) }
}
