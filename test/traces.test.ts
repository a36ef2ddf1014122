import { nativeTfjsPackage } from '@collimate/backend-tfjs'
import { readSafetensors } from '@collimate/models'
import { afterAll, describe, expect, it } from 'vitest'
import { replay } from './traces/replay.js'
import type { Replay } from './traces/replay.js'
import { withBackend } from './traces/setting.js'
import { readTrace, tracesFolder } from './traces/trace.js'
import type { Trace } from './traces/trace.js'

const traces = [
  'sft-completion',
  'sft-full-accumulate',
  'sft-packing-bfd',
  'dpo-sigmoid',
  'dpo-precomputed-reference',
  'dpo-ipo',
  'reward-bt',
  'reward-margin',
]
/** DPO’s loss at the reference: ln 2, and 1 / (4 β²) of ipo. */
const atReference = (name: string) => (name === 'dpo-ipo' ? 25 : Math.LN2)

/** Largest relative errors allowed, |a − b| / max(1, |b|); the peer's own float32 run is off by 1e-6 (norm: 1e-5). */
const inFloat64 = { metrics: 1e-8, gradNorm: 1e-8, finalL2: 1e-8, final: 3e-6 }
const inFloat32 = { metrics: 5e-5, gradNorm: 1e-4, finalL2: 1e-5, final: 1e-5 }
const onTfjs = (device: string, ...few: string[]) => ({
  ...{ name: `tfjs-${device}`, backend: 'tfjs' as const, options: { device }, traces: few },
  ...inFloat32,
})
const judges = [
  { name: 'float64 interpreter', backend: 'interpreter' as const, options: {}, traces, ...inFloat64 },
  { name: 'onnx', backend: 'onnx' as const, options: {}, traces, ...inFloat32 },
  // A second opinion needs a trace of each objective; plain JavaScript is slow.
  onTfjs('wasm', 'sft-completion', 'dpo-sigmoid', 'reward-bt'),
  onTfjs('cpu', 'dpo-sigmoid'),
  ...(nativeTfjsPackage() === undefined ? [] : [onTfjs('node', 'sft-completion', 'dpo-sigmoid', 'reward-bt')]),
]

const figures: string[] = []
afterAll(() => console.log(['largest errors against TRL over 12 steps', ...figures].join('\n')))

describe.each(judges)('TRL, step by step, on $name', (judge) => {
  it.each(judge.traces)('%s', async (name) => {
    const trace = readTrace(name)
    const replayed = await withBackend(judge.backend, (backend) => replay(trace, backend), judge.options)
    const errors = await errorsOf(trace, replayed)
    figures.push(
      `${name} on ${judge.name}: ${Object.entries(errors)
        .map(([what, error]) => `${what} ${error.toExponential(1)}`)
        .join(', ')}`,
    )

    const { grad_norm, 'final l2': finalL2, 'final weights': final, ...metrics } = errors
    expect(grad_norm, 'grad_norm').toBeLessThan(judge.gradNorm)
    expect(finalL2, 'L2 of each final parameter').toBeLessThan(judge.finalL2)
    expect(final, 'relative L2 of all final weights').toBeLessThan(judge.final)
    for (const [what, error] of Object.entries(metrics)) expect(error, what).toBeLessThan(judge.metrics)

    if (name.startsWith('dpo')) {
      const { loss } = replayed.steps[0].line.metrics
      expect(Math.abs(loss / atReference(name) - 1)).toBeLessThan(7e-7)
    }
    if (name === 'dpo-precomputed-reference') expect(replayed.referenceRuns).toBe(0)
  })
})

/** The largest relative error of every number that TRL logged, and of the weights after the last step. */
async function errorsOf(
  { name, metrics, finalL2, settings }: Trace,
  { steps, weights }: Replay,
): Promise<Record<string, number>> {
  const errors: Record<string, number> = {}
  const compare = (what: string, ours: number, theirs: number) => {
    const error = Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs))
    errors[what] = Math.max(errors[what] ?? 0, Number.isNaN(error) ? Infinity : error)
  }
  const given = name === 'dpo-precomputed-reference'
  expect(steps.length).toBe(settings.max_steps)
  steps.forEach(({ line, microBatches }, step) => {
    const {
      learning_rate_used,
      trainable_weights_l2: _l2,
      learning_rate: _rate,
      step: number,
      ...logged
    } = metrics[step]
    expect(line.step).toBe(number)
    compare('learning_rate', line.metrics.learning_rate, learning_rate_used)
    for (const [what, theirs] of Object.entries(logged)) {
      // Where the policy is still the reference, the fixture's twelve digits of given log-probs break ties at random.
      if (what === 'rewards/accuracies' && given && logged['rewards/margins'] === 0) continue
      const parts = microBatches.flatMap(({ metrics }) => metrics[what] ?? [])
      const mean = parts.reduce((total, { sum, count }) => total + sum / count, 0) / parts.length
      compare(what, parts.length > 0 ? mean : line.metrics[what], theirs)
    }
  })
  for (const [parameter, theirs] of Object.entries(finalL2)) compare('final l2', l2(weights[parameter]), theirs)
  const source = given ? 'dpo-sigmoid' : name
  const final = await readSafetensors(`${tracesFolder}${source}/final.safetensors`)
  const pairs = Object.entries(final.tensors).map(([parameter, { data }]) => [weights[parameter], data] as const)
  const differences = pairs.flatMap(([ours, theirs]) => Array.from(theirs, (value, i) => ours[i] - value))
  errors['final weights'] = l2(differences) / l2(pairs.flatMap(([, theirs]) => Array.from(theirs)))
  return errors
}

function l2(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2
  return Math.sqrt(sum)
}
