import { existsSync, readFileSync } from 'node:fs'
import type { LossTerm, Metric, ObjectiveTensors, Unit } from '@collimate/core'
import {
  cast,
  constant,
  div,
  evaluate,
  fill,
  gradients,
  greater,
  input,
  scatterAdd,
  sum,
  where,
} from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { describe, expect, it } from 'vitest'
import type { ReinforceLossOptions } from './loss-options.js'
import { reinforceLossOptions } from './loss-options.js'
import { reinforceObjective } from './objective.js'

type Rows = readonly (readonly number[])[]

interface Inputs {
  readonly mask: Rows
  readonly old_logprobs: Rows
  readonly ref_logprobs: Rows
  readonly advantages: readonly number[]
  readonly on_policy: Rows
  readonly off_policy: Rows
}

/** Loss, its gradient by the log-probs [rows][width] and metrics, in float64; what is masked holds NaN. */
function judge(options: ReinforceLossOptions, inputs: Inputs, now: Rows) {
  const { mask } = inputs
  const [rows, width] = [mask.length, mask[0].length]
  const size = rows * width
  const flat = (values: Rows) => Float64Array.from(values.flat())
  const real = constant(Uint8Array.from(mask.flat()), [size])
  const ids = constant(
    Int32Array.from({ length: size }, (_, slot) => Math.floor(slot / width)),
    [size],
  )
  const given = (values: Float64Array) =>
    where(
      real,
      constant(
        values.map((value, slot) => (mask.flat()[slot] === 0 ? NaN : value)),
        [size],
      ),
      0,
    )
  const logProbs = input('logProbs', [size])
  const none = fill(0, [size])
  const objective = reinforceObjective(options)
  const advantages =
    objective.inputs.advantages === 'sequences'
      ? constant([...inputs.advantages], [rows])
      : given(flat(mask.map((row, n) => row.map(() => inputs.advantages[n]))))
  const t: ObjectiveTensors<Tensor> = {
    ...{ logProbs: where(real, logProbs, 0), entropy: fill(2, [size]), correct: none, meanLogits: none, values: none },
    ...{ scores: fill(0, [rows]), tokenMask: cast(real, 'float'), sequenceMask: fill(1, [rows]), sequences: ids },
    inputs: {
      advantages,
      oldLogProbs: given(flat(inputs.old_logprobs)),
      refLogProbs: given(flat(inputs.ref_logprobs)),
    },
    sumBySequence: (x) => scatterAdd(fill(0, [rows]), ids, where(real, x, none), 0),
  }
  const mean = (x: Tensor, unit: Unit) => {
    const counts = unit === 'tokens' ? real : greater(fill(1, [rows]), 0)
    return div(sum(where(counts, x, 0)), sum(cast(counts, 'float')))
  }
  const [{ perUnit, unit }]: readonly LossTerm<Tensor>[] = objective.terms(t)
  const total = mean(perUnit, unit)
  const metrics = Object.entries(objective.metrics(t))
  const [gradient] = gradients(total, [logProbs])
  const wanted = [
    total,
    gradient,
    ...metrics.map(([, { perUnit, unit }]: [string, Metric<Tensor>]) => mean(perUnit, unit)),
  ]
  const [loss, byLogProbs, ...rest] = evaluate(wanted, { logProbs: flat(now) }).map(({ data }) => data)
  return {
    loss: Number(loss[0]),
    gradient: mask.map((_, n) => Array.from(byLogProbs.slice(n * width, (n + 1) * width), Number)),
    metrics: Object.fromEntries(metrics.map(([name], k) => [name, Number(rest[k][0])])),
  }
}

const near = (found: number, expected: number, what: string) =>
  expect(
    Math.abs(found - expected) / Math.max(1, Math.abs(expected)),
    `${what}: ${found}, not ${expected}`,
  ).toBeLessThan(1e-9)

interface Case {
  readonly name: string
  readonly settings: {
    readonly loss_type?: ReinforceLossOptions['lossType']
    readonly beta?: number
    readonly epsilon_low: number
    readonly epsilon_high: number
    readonly importance_sampling_level?: 'token' | 'sequence'
    readonly max_completion_length?: number
  }
  readonly new: 'on_policy' | 'off_policy'
  readonly loss: number
  readonly grad_new_logprobs: Rows
  readonly metrics?: Readonly<Record<string, number>>
}

/** TRL's settings under our names. */
const optionsOf = ({ settings }: Case): ReinforceLossOptions =>
  reinforceLossOptions.parse({
    lossType: settings.loss_type ?? 'rloo',
    importanceSamplingLevel: settings.importance_sampling_level ?? 'sequence',
    cliprange: settings.epsilon_low,
    ...(settings.epsilon_high !== settings.epsilon_low && { cliprangeHigh: settings.epsilon_high }),
    ...((settings.beta ?? 0) > 0 && { beta: settings.beta, klEstimator: 'k3' }),
    ...(settings.max_completion_length !== undefined && { maxCompletionLength: settings.max_completion_length }),
  })

const file = new URL('../../../test/parity/losses/group.json', import.meta.url)
describe.skipIf(!existsSync(file))('parity with the RLOO and GRPO of TRL (losses/group.json)', () => {
  const found = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { loss_cases: [], rloo_cases: [] }
  const cases: Case[] = [...found.loss_cases, ...found.rloo_cases]

  it('has every loss type', () => {
    expect(new Set(cases.map((one) => optionsOf(one).lossType)).size).toBe(5)
  })

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const judged = judge(optionsOf(one), found.loss_inputs, found.loss_inputs[one.new])
    near(judged.loss, one.loss, 'loss')
    one.grad_new_logprobs.forEach((row, n) =>
      row.forEach((value, token) => near(judged.gradient[n][token], value, `gradient of ${n}, ${token}`)),
    )
    for (const name of ['clip_ratio/low_mean', 'clip_ratio/high_mean', 'clip_ratio/region_mean'])
      if (one.metrics && name in one.metrics) near(judged.metrics[name], one.metrics[name], name)
    expect(judged.metrics.entropy).toBe(2)
  })
})

describe('the KL in the loss', () => {
  it('of k1 without a ratio is refused', () => {
    const options = reinforceLossOptions.parse({ beta: 0.1, klEstimator: 'k1' })
    expect(() => reinforceObjective(options)).toThrow(expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT' }))
    expect(reinforceObjective({ ...options, klRatio: true }).inputs).toHaveProperty('refLogProbs')
  })

  it('is the only reader of the reference', () => {
    expect(reinforceObjective(reinforceLossOptions.parse({})).inputs).toEqual({
      advantages: 'sequences',
      oldLogProbs: 'tokens',
    })
  })
})
