import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ForestBatch } from '@collimate/core'
import { loadModel } from '@collimate/models'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backends, policyOf, shared } from './support/policies.js'
import { hasTransformers, transformersLogSoftmax } from './support/transformers.js'

// The job of the README on real input, at reduced size.
const root = fileURLToPath(new URL('..', import.meta.url))
const model = shared('data/tinystories-656k')
const pairs = shared('data/hh-rlhf/harmless-base-test.jsonl.gz')
const present = model !== undefined && pairs !== undefined
if (!present) console.warn('main job: skipped, ../shared/data/tinystories-656k and hh-rlhf are not there')
if (!hasTransformers) console.warn('main job: not compared with transformers, no Python that has it (COLLIMATE_PYTHON)')

/** Every token of the vocabulary scored at every position: the log softmax of all logits. */
function allTokens(tokens: readonly number[], vocabulary: number): ForestBatch {
  const width = tokens.length
  const scored = width * vocabulary
  return {
    rows: 1,
    width,
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(tokens, (_, i) => i),
    segments: new Int32Array(width),
    prompts: new Int32Array(width),
    sources: Int32Array.from({ length: scored }, (_, i) => Math.floor(i / vocabulary)),
    targets: Int32Array.from({ length: scored }, (_, i) => i % vocabulary),
    sequences: new Int32Array(scored),
    tokenMask: new Float32Array(scored).fill(1),
    sequenceMask: Float32Array.of(1),
    sequenceCount: 1,
    ends: Int32Array.of(width - 1),
    tokenCount: width,
    inputs: {},
  }
}

describe.skipIf(!present)('collimate dpo on HH-RLHF', () => {
  const output = join(mkdtempSync(join(tmpdir(), 'collimate-main-')), 'hh-dpo')
  const lines = (file: string): Record<string, unknown>[] =>
    readFileSync(join(output, 'run', file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  let printed = ''

  beforeAll(() => {
    const flags = [
      '--eval-split',
      '24',
      '--output',
      output,
      '--steps',
      '4',
      '--max-length',
      '384',
      '--logging-steps',
      '1',
    ]
    printed = execFileSync(
      process.execPath,
      [
        ...['--import', 'tsx', '--conditions=@collimate/source', 'apps/cli/src/main.ts'],
        ...['dpo', '--model', model!, '--data', pairs!, ...flags, '--set', 'data.limit=120'],
      ],
      { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    )
  }, 300_000)
  afterAll(() => rmSync(join(output, '..'), { recursive: true, force: true }))

  test('the first loss is ln 2 to six digits', () => {
    const first = lines('metrics.jsonl').find((line) => line.step === 1)!
    expect(Math.abs((first.loss as number) - Math.LN2)).toBeLessThan(5e-7)
    expect(first['rewards/margins']).toBe(0)
  })

  test('held-out accuracy and margin come with intervals', () => {
    const { payload } = lines('events.jsonl').find((line) => line.event === 'evaluation.finished') as unknown as {
      payload: { metrics: Record<string, { value: number; low: number; high: number; count: number }> }
    }
    for (const name of ['eval_rewards/accuracies', 'eval_rewards/margins']) {
      const { value, low, high, count } = payload.metrics[name]!
      expect(low).toBeLessThan(value)
      expect(high).toBeGreaterThan(value)
      expect(count).toBeGreaterThan(0)
    }
    expect(printed).toContain('eval_rewards/accuracies')
  })

  test('the output is a model folder, and its weights have moved', async () => {
    expect(readdirSync(output)).toEqual(
      expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json', 'run']),
    )
    const [before, after] = await Promise.all([loadModel(model!), loadModel(output)])
    const name = 'model.layers.0.mlp.up_proj.weight'
    expect(after.weights[name]!.data).not.toEqual(before.weights[name]!.data)
  })

  test.skipIf(!hasTransformers)('transformers loads it, with equal logits', async () => {
    const files = await loadModel(output)
    const tokens = [1, 410, 402, 278, 259, 395, 33, 7]
    const theirs = transformersLogSoftmax(output, tokens).flat()
    const backend = await backends[1].create()
    try {
      const policy = await policyOf(backend, files)
      const ours = await policy.logProbs({ batch: allTokens(tokens, files.config.vocabularySize) })
      expect(Math.max(...theirs.map((value, i) => Math.abs(value - ours[i]!)))).toBeLessThan(5e-5)
    } finally {
      await backend.close()
    }
  })
})
