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

/** log softmax of transformers' logits at each position: [positions][vocabulary]. Fails where a weight is missing or extra. */
export function transformersLogSoftmax(folder: string, tokens: readonly number[]): number[][] {
  const script = fileURLToPath(new URL('../peers/log_softmax.py', import.meta.url))
  const printed = execFileSync(python, [script, folder, JSON.stringify(tokens)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  return JSON.parse(printed.trim().split('\n').at(-1)!) as number[][]
}
