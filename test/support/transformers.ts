import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const python = process.env.COLLIMATE_PYTHON ?? 'python3'

/** Whether `COLLIMATE_PYTHON` (default python3) has torch and transformers to compare with. */
export const hasTransformers = (() => {
  try {
    execFileSync(python, ['-c', 'import torch, transformers'], { stdio: 'ignore', timeout: 60_000 })
    return true
  } catch {
    return false
  }
})()

function peer<Result>(script: string, folder: string, tokens: unknown): Result {
  const path = fileURLToPath(new URL(`../peers/${script}`, import.meta.url))
  const printed = execFileSync(python, [path, folder, JSON.stringify(tokens)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  return JSON.parse(printed.trim().split('\n').at(-1)!) as Result
}

/** log softmax of transformers' logits at each position: [positions][vocabulary]. Fails where a weight is missing or extra. */
export const transformersLogSoftmax = (folder: string, tokens: readonly number[]): number[][] =>
  peer('log_softmax.py', folder, tokens)

/** Scores of rows of tokens by transformers' sequence-classification model. Fails where a weight is missing or extra. */
export const transformersScores = (folder: string, rows: readonly (readonly number[])[]): number[] =>
  peer('scores.py', folder, rows)
