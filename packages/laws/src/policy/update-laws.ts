import { normal } from '@collimate/core'
import type { ModelSnapshot, UpdateRequest } from '@collimate/core'
import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { refused } from '../refused.js'
import { exampleOf } from '../world/distribution-of.js'
import { batchOf, examplesOf, promptOf, real, showTrees, tokens, trees, type Tree } from './cases.js'
import { importanceRatio } from './objectives.js'
import { descent, gradientOf, sameBits, sameNumbers, type Subject } from './subject.js'
import { noPadding, padded } from './padding.js'
import { copyOf, updateOn } from './update-cases.js'

/** How the policy trains. */
export function updateLaws(subject: Subject): Law[] {
  const { tolerance } = subject
  const show = (given: readonly Tree[]): string => showTrees(given, subject)
  const capability = 'update'

  return [
    law({
      name: 'language-model/gradient',
      statement:
        'The gradient of a loss is its slope, at any temperature: that of central differences along a direction.',
      formula: '⟨∇L, d⟩ = (8 (L(θ + hd) − L(θ − hd)) − (L(θ + 2hd) − L(θ − 2hd))) / 12h + O(h⁴)',
      source: 'definition of a derivative; five-point stencil, Abramowitz and Stegun 25.3.6',
      cost: 8,
      capability,
      arbitrary: fc.record({ given: trees(2, 2, 3), seed: fc.nat(1e6), temperature: fc.constantFrom(1, 0.5, 2) }),
      show: ({ given, seed, temperature }) => `${show(given)}; direction of seed ${seed}; temperature ${temperature}`,
      holds: ({ given, seed, temperature }) =>
        subject.using(async (opened) => {
          const { policy, about } = opened
          const { everyUnit } = opened.objectives
          const batches = [batchOf(examplesOf(given, about), 'shared', ['weights', 'chosen'])]
          const { gradient } = await gradientOf(policy, everyUnit, batches, temperature)
          const start = await policy.snapshot()
          const length = (parts: Iterable<ArrayLike<number>>): number =>
            Math.sqrt([...parts].reduce((sum, data) => sum + Array.from(data).reduce((a, b) => a + b * b, 0), 0)) || 1
          const noise = new Map(
            [...gradient].map(([name, data], i) => [name, Float64Array.from(data, (_, k) => normal(seed, i, k))]),
          )
          const [size, noiseSize] = [length(gradient.values()), length(noise.values())]
          const direction = new Map(
            [...gradient].map(([name, data]) => [
              name,
              Float64Array.from(data, (g, k) => g / size + noise.get(name)![k] / noiseSize),
            ]),
          )
          const h = Math.cbrt(tolerance) / 20
          const lossAt = async (step: number): Promise<number> => {
            await policy.restore({ snapshot: moved(start, direction, step) })
            return (await policy.evaluate({ objective: everyUnit, batches, metrics: false, temperature })).loss
          }
          const difference = async (step: number): Promise<number> => (await lossAt(step)) - (await lossAt(-step))
          const slope = (8 * (await difference(h)) - (await difference(2 * h))) / (12 * h)
          const expected = [...gradient].reduce(
            (sum, [name, data]) => sum + Array.from(data).reduce((a, g, k) => a + g * direction.get(name)![k], 0),
            0,
          )
          near(
            expected / Math.max(1, size),
            slope / Math.max(1, size),
            Math.max(1e-5, 2500 * tolerance),
            'slope along the direction',
          )
        }),
    }),
    law({
      name: 'language-model/optimiser-step',
      statement: 'An update is one step of AdamW on the clipped gradient, with decay on matrices alone.',
      formula:
        'm ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − ηλθ − η (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε),  g = ∇L · min(1, c/(‖∇L‖ + 10⁻⁶))',
      source: 'Loshchilov and Hutter, arXiv 1711.05101, algorithm 2, as in PyTorch; torch.nn.utils.clip_grad_norm_',
      cost: 6,
      capability,
      arbitrary: fc.record({
        given: trees(1, 2, 3),
        maxGradNorm: fc.constantFrom(0, 0.01, 1),
        weightDecay: fc.constantFrom(0, 0.1),
        beta1: fc.constantFrom(0.9, 0, 0.5),
      }),
      show: ({ given, ...options }) => `${show(given)}; ${JSON.stringify(options)}`,
      holds: ({ given, maxGradNorm, weightDecay, beta1 }) =>
        subject.using(async (opened) => {
          const { policy } = opened
          const optimizer = { ...descent.optimizer, beta1, weightDecay, epsilon: 1e-3 }
          const request = updateOn(given, opened, { optimizer, maxGradNorm })
          const { gradient, report: plain } = await gradientOf(policy, request.objective, request.batches)
          const before = await policy.snapshot()
          const report = await policy.update(request)
          const after = await policy.snapshot()
          const norm = Math.sqrt(
            [...gradient.values()].reduce((sum, data) => sum + Array.from(data).reduce((a, g) => a + g * g, 0), 0),
          )
          near(report.gradNorm, norm, 100 * tolerance, 'gradient norm before clipping')
          near(report.loss, plain.loss, 10 * tolerance, 'loss')
          const clip = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1
          const t = before.optimizerSteps + 1
          for (const [name, data] of gradient) {
            const weight = before.tensors[name]
            const m0 = before.tensors[`adam.m.${name}`]?.data
            const v0 = before.tensors[`adam.v.${name}`]?.data
            const decay = weight.shape.length >= 2 ? weightDecay : 0
            const expected = Array.from(weight.data, (w, k) => {
              const g = data[k] * clip
              const m = beta1 * (m0?.[k] ?? 0) + (1 - beta1) * g
              const v = optimizer.beta2 * (v0?.[k] ?? 0) + (1 - optimizer.beta2) * g * g
              const step = m / (1 - beta1 ** t) / (Math.sqrt(v / (1 - optimizer.beta2 ** t)) + optimizer.epsilon)
              return w * (1 - request.learningRate * decay) - request.learningRate * step
            })
            sameNumbers(after.tensors[name].data, expected, 10 * tolerance, name)
          }
        }),
    }),
    law({
      name: 'language-model/evaluate',
      statement: 'To evaluate is to report an update without making it.',
      formula: 'evaluate(B) = report of update(B); weights, moments and version stay',
      source: 'Model.evaluate',
      cost: 5,
      capability,
      arbitrary: trees(2, 2, 3),
      show,
      holds: (given) =>
        subject.using(async (opened) => {
          const { policy, about } = opened
          const { everyUnit } = opened.objectives
          const batches = [batchOf(examplesOf(given, about), 'shared', ['weights', 'chosen'])]
          const before = await policy.snapshot()
          const told = await policy.evaluate({ objective: everyUnit, batches, metrics: true })
          sameBits(await policy.snapshot(), before, 'after an evaluation')
          const { report } = await gradientOf(policy, everyUnit, batches)
          near(told.loss, report.loss, 10 * tolerance, 'loss')
          require(told.gradNorm === 0, `the gradient norm of an evaluation is ${told.gradNorm}`)
          require(told.tokens ===
            report.tokens, `the evaluation counts ${told.tokens} tokens, the update ${report.tokens}`)
          require(told.version === before.version, `the evaluation reports version ${told.version}`)
          for (const [name, { sum }] of Object.entries(report.metrics))
            near(told.metrics[name]?.sum ?? NaN, sum, 10 * tolerance, `metric ${name}`)
        }),
    }),
    law({
      name: 'ppo/fresh-ratio',
      statement: 'On samples of the policy as it is, every importance ratio of the first update is 1.',
      formula: 'π_θ(y_t) / π_old(y_t) = 1',
      source: 'Schulman et al., arXiv 1707.06347; trl#744, reef#536: dropout makes ratios differ',
      cost: 5,
      capability: 'generate',
      arbitrary: fc.record({ prompts: fc.array(tokens(1, 5), { minLength: 1, maxLength: 4 }), seed: fc.nat(1e6) }),
      show: ({ prompts, seed }) => `${show(prompts.map((prompt) => ({ prompt, completions: [[0]] })))} seed ${seed}`,
      holds: ({ prompts: given, seed }) =>
        subject.using(async ({ policy, about }) => {
          const prompts = given.map((ids) => Int32Array.from(promptOf(ids, about, 3)))
          const { completions, logProbs } = await policy.generate({
            prompts,
            sampling: { maxNewTokens: 3, temperature: 1, seed },
          })
          const batch = batchOf(
            prompts.map((ids, i) => exampleOf(i, Array.from(ids), [Array.from(completions[i])])),
            'shared',
            [],
          )
          const old = new Float64Array(batch.targets.length)
          old.set(logProbs.flatMap((values) => Array.from(values)))
          const inputs = { oldLogProbs: old, advantages: old.map(() => 1) }
          const { metrics, loss } = await policy.evaluate({
            objective: importanceRatio,
            batches: [{ ...batch, inputs }],
            metrics: true,
          })
          near(metrics.deviation.sum / metrics.deviation.count, 0, 10 * Math.max(tolerance, 1e-6), 'mean |ratio − 1|')
          near(loss, -1, 10 * Math.max(tolerance, 1e-6), 'surrogate at advantage 1')
        }),
    }),
    law({
      name: 'language-model/not-finite',
      statement: 'A loss or gradient that is not finite is refused and changes nothing.',
      formula: 'NaN ∈ inputs(B) ⇒ COLLIMATE_NOT_FINITE, θ and moments as before',
      source: 'Model.update; OpenRLHF#1240, rlhf-book train.py: steps that are skipped in silence',
      cost: 4,
      capability,
      arbitrary: fc.record({
        given: trees(1, 2, 3),
        value: fc.constantFrom(NaN, Infinity, -Infinity, 1e308),
        at: fc.nat(100),
      }),
      show: ({ given, value, at }) => `${show(given)}; weight ${at} (modulo their number) is ${value}`,
      holds: ({ given, value, at }) =>
        subject.using(async (opened) => {
          const { policy } = opened
          const before = await policy.snapshot()
          const request = updateOn(given, opened)
          const [batch] = request.batches
          const weights = Float64Array.from(batch.inputs.weights)
          // One huge weight is finite; many overflow only in the sum.
          const count = real(batch, weights).length
          if (value === 1e308) weights.fill(value, 0, count)
          else weights[at % count] = value
          const batches = [{ ...batch, inputs: { weights } }]
          if (value !== 1e308 || count > 1)
            await refused(`a weight of ${value}`, () => policy.update({ ...request, batches }), 'COLLIMATE_NOT_FINITE')
          sameBits(await policy.snapshot(), before, 'after the refused update')
        }),
    }),
    law({
      name: 'language-model/refusals',
      statement: 'A batch or setting that breaks the contract is refused with a coded error and changes nothing.',
      formula: 'token ∉ vocabulary, source beyond the rows, missing input, no micro-batch, negative rate ⇒ COLLIMATE_…',
      source: 'ForestBatch, UpdateRequest; onnxruntime: an index out of range reads another token’s numbers',
      cost: 5,
      capability,
      arbitrary: fc.record({ given: trees(1, 2, 2), slot: fc.nat(100) }),
      show: ({ given, slot }) => `${show(given)}; slot ${slot} (modulo their number)`,
      holds: ({ given, slot }) =>
        subject.using(async (opened) => {
          const { policy, about } = opened
          const before = await policy.snapshot()
          const request = updateOn(given, opened)
          const [batch] = request.batches
          const wider = padded(batch, { ...noPadding, behind: 1 })
          const put = (values: Int32Array, value: number): Int32Array =>
            values.map((old, i) => (i === slot % values.length ? value : old))
          const broken: Readonly<Record<string, Partial<UpdateRequest>>> = {
            'a token beyond the vocabulary': {
              batches: [{ ...batch, tokens: put(batch.tokens, about.vocabularySize) }],
            },
            'a negative target': { batches: [{ ...batch, targets: put(batch.targets, -1) }] },
            'a source beyond the rows': {
              batches: [{ ...batch, sources: put(batch.sources, batch.rows * batch.width) }],
            },
            'a sequence beyond the batch': {
              batches: [{ ...batch, sequences: put(batch.sequences, batch.sequenceCount) }],
            },
            'an end at padding': {
              batches: [{ ...wider, ends: wider.ends.map((end) => end - (end % wider.width) + wider.width - 1) }],
            },
            'an end beyond the rows': { batches: [{ ...batch, ends: put(batch.ends, batch.rows * batch.width) }] },
            'a mask of another length': { batches: [{ ...batch, tokenMask: batch.tokenMask.slice(1) }] },
            'a missing input': { batches: [{ ...batch, inputs: {} }] },
            'an update without micro-batches': { batches: [] },
            'a batch in which nothing is scored': {
              batches: [
                { ...batch, tokenMask: batch.tokenMask.map(() => 0), sequenceMask: batch.sequenceMask.map(() => 0) },
              ],
            },
            'a negative learning rate': { learningRate: -0.1 },
            'a learning rate that is NaN': { learningRate: NaN },
            'an objective that nobody knows': { objective: { use: 'laws-unknown', options: {} } },
          }
          for (const [what, change] of Object.entries(broken)) {
            await refused(what, () => policy.update({ ...request, ...change }))
            sameBits(await policy.snapshot(), before, `after ${what}`)
          }
        }),
    }),
  ]
}

/** A snapshot with weights θ + step · direction. */
function moved(snapshot: ModelSnapshot, direction: ReadonlyMap<string, Float64Array>, step: number): ModelSnapshot {
  const { tensors, ...rest } = copyOf(snapshot)
  for (const [name, change] of direction) change.forEach((d, k) => (tensors[name].data[k] += step * d))
  return { ...rest, tensors }
}
