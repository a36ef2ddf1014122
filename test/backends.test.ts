import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findSoftwareVulkan, softwareVulkanNeeds } from '@collimate/backend-onnx'
import { nativeTfjsPackage } from '@collimate/backend-tfjs'
import { experiment } from '@collimate/core'
import type { ExperimentConfig } from '@collimate/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collimate, root, temporaryFolder, writeTinyModel } from './support/cli.js'

// The same experiment on any backend: one word of it changes, the numbers do not.
const folder = temporaryFolder()
const model = join(folder, 'model')
beforeAll(() => writeTinyModel(model))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const pairs = join(root, 'examples/data/pairs.jsonl')
const answers = join(root, 'examples/data/answers.jsonl')
const steps = 4
const short = { steps, learningRate: 0.003, schedule: 'constant', maxLength: 48, loggingSteps: 1 }
const sampled = { steps, learningRate: 0.003, schedule: 'constant', loggingSteps: 1, maxNewTokens: 6, temperature: 1 }
// Of answers that differ: where all are worth the same, a step is made of rounding errors.
const reward = {
  use: 'rule',
  rules: [
    { rule: 'length', target: 4, unit: 'words' },
    { rule: 'regex', pattern: 'e' },
  ],
}
const language = { use: 'transformer', model }

/** Everything of an experiment but its backend. */
const methods: Record<string, Partial<ExperimentConfig>> = {
  sft: { policy: language, trainer: { use: 'sft', batchSize: 4, ...short }, data: { train: answers, limit: 16 } },
  reward: {
    policy: { ...language, head: 'score' },
    trainer: { use: 'reward', batchSize: 4, ...short },
    data: { train: pairs, limit: 16 },
  },
  reinforce: {
    policy: language,
    trainer: { use: 'reinforce', batchSize: 2, numGenerations: 4, ...sampled },
    ...{ estimator: { use: 'sequence' }, reward, data: { train: pairs, limit: 8 } },
  },
  ppo: {
    policy: language,
    trainer: { use: 'ppo', batchSize: 2, numGenerations: 2, numPpoEpochs: 2, ...sampled },
    ...{ estimator: { use: 'gae' }, reward, data: { train: pairs, limit: 8 } },
  },
  dpo: {
    policy: language,
    trainer: { use: 'dpo', batchSize: 4, beta: 0.5, ...short },
    data: { train: pairs, limit: 16 },
  },
}

type Line = Readonly<Record<string, number>>

/** The metrics of each step; with an environment from a process of its own, since a driver is chosen at the start of one. */
async function metricsOf(
  method: string,
  backend: ExperimentConfig['backend'],
  environment?: Readonly<Record<string, string>>,
): Promise<Line[]> {
  const output = join(folder, `${method}-${JSON.stringify(backend).replace(/\W+/g, '-')}`)
  mkdirSync(output)
  const config = { name: method, seed: 3, trackers: [], output, backend, ...methods[method] } as ExperimentConfig
  if (environment === undefined) await experiment(config, { folder }).finished
  else {
    const file = `${output}.yaml`
    writeFileSync(file, JSON.stringify(config))
    const ran = await collimate(['run', file], { environment })
    expect(ran.status, ran.stderr).toBe(0)
  }
  const lines = readFileSync(join(output, 'metrics.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Line).filter(({ grad_norm }) => grad_norm !== undefined)
}

/** What float32 may differ by from the interpreter's float64, |a − b| / max(1, |b|), in each step. */
const tolerances = { loss: 2e-5, 'loss/policy_avg': 2e-5, 'loss/value_avg': 2e-5, grad_norm: 2e-4 }
/** How many times as much where matrix products are in float16: it has 13 bits less, but errors of many products cancel. */
const inHalf = 2 ** 6

const software = findSoftwareVulkan()
if (software === undefined) console.warn(`onnx webgpu: not run, there is no SwiftShader (${softwareVulkanNeeds})`)

interface OnBackend {
  readonly use: string
  readonly device: string
  readonly precision?: 'float16'
  readonly environment?: Readonly<Record<string, string>>
}

const providers: OnBackend[] = [
  { use: 'onnx', device: 'cpu' },
  { use: 'onnx', device: 'cpu', precision: 'float16' },
  ...(software === undefined ? [] : [{ use: 'onnx', device: 'webgpu', environment: software.environment }]),
  ...['wasm', 'cpu', ...(nativeTfjsPackage() === undefined ? [] : ['node'])].map((device) => ({ use: 'tfjs', device })),
]
const backends = providers.map((provider) => ({
  ...provider,
  label: [provider.use, provider.device, provider.precision].filter(Boolean).join(' '),
}))
if (nativeTfjsPackage() === undefined)
  console.warn('tfjs node: not run, npm run native-tfjs -w @collimate/backend-tfjs has staged none')

const figures: string[] = []
afterAll(() => console.log([`largest errors against the interpreter over ${steps} steps`, ...figures].join('\n')))

describe.each(Object.keys(methods))('%s has the loss curve of the interpreter', (method) => {
  let judge: Line[] = []
  beforeAll(async () => {
    judge = await metricsOf(method, { use: 'interpreter' })
    expect(judge).toHaveLength(steps)
  })

  test.each(backends)('on $label', { timeout: 300_000 }, async ({ label, environment, ...backend }) => {
    const lines = await metricsOf(method, backend, environment)
    expect(lines).toHaveLength(steps)
    const errors = Object.keys(tolerances).flatMap((metric) => {
      const both = lines.flatMap((line, step) => (metric in line ? [[line[metric], judge[step][metric]] as const] : []))
      const worst = both.map(([ours, theirs]) => Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs)))
      return both.length > 0 ? [[metric, Math.max(...worst)] as const] : []
    })
    figures.push(
      `${method} on ${label}: ${errors.map(([name, error]) => `${name} ${error.toExponential(1)}`).join(', ')}`,
    )
    expect(errors.length).toBeGreaterThan(1)
    const factor = backend.precision === undefined ? 1 : inHalf
    for (const [metric, error] of errors) expect(error, metric).toBeLessThan(factor * tolerances[metric as 'loss'])
    // The steps must have changed something, or equal curves say nothing.
    expect(new Set(lines.map(({ grad_norm }) => grad_norm)).size).toBe(steps)
  })
})
