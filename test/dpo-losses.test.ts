import type { Policy } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { dpoLosses, lossNames } from '@collimate/trainer-dpo'
import { expect, it } from 'vitest'
import { withBackend, withSetting } from './traces/setting.js'
import { readTrace } from './traces/trace.js'

const trace = readTrace('dpo-sigmoid')
const uses = [
  ...lossNames.map((loss) => ({ loss, labelSmoothing: dpoLosses[loss].smoothing === 'ignored' ? 0 : 0.1 })),
  { loss: 'sigmoid', fDivergenceType: 'forward_kl' },
  { loss: 'sigmoid', fDivergenceType: 'js_divergence' },
  { loss: 'sigmoid', fDivergenceType: 'alpha_divergence', fAlphaDivergenceCoef: 0.3 },
].map((options) => ({ use: 'dpo', options: { beta: 0.5, ...options } }))

/** Loss and gradient norm of every loss on six pairs, two of them padded away, under a policy that is not its reference. */
async function measure(policy: Policy) {
  const pairs = trace.microBatches.flat().slice(0, 6)
  const batch = forestBatch(pairs)
  const logProbs = await policy.logProbs({ batch })
  const refLogProbs = logProbs.map((value, token) => value + Math.sin(token) / 4)
  const sequenceMask = batch.sequenceMask.map((real, n) => (n < 8 ? real : 0))
  const tokenMask = batch.tokenMask.map((real, token) => (batch.sequences[token] < 8 ? real : 0))
  const batches = [{ ...batch, sequenceMask, tokenMask, inputs: { refLogProbs } }]
  const optimizer = { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const
  const figures: { loss: number; gradNorm: number }[] = []
  for (const objective of uses) {
    const request = { objective, batches, metrics: false, optimizer, learningRate: 0, maxGradNorm: 0 }
    const { loss, gradNorm } = await policy.update(request)
    figures.push({ loss, gradNorm })
  }
  return figures
}

it('every loss of the DPO family is on ONNX what it is on the float64 interpreter', async () => {
  const figures = (backend: 'interpreter' | 'onnx') =>
    withBackend(backend, (made) => withSetting(trace, made, { steps: 1 }, ({ context }) => measure(context.policy)))
  const [judged, ours] = [await figures('interpreter'), await figures('onnx')]
  uses.forEach(({ options }, i) => {
    for (const name of ['loss', 'gradNorm'] as const)
      expect(ours[i][name] / judged[i][name], `${name} of ${JSON.stringify(options)}`).toBeCloseTo(1, 4)
  })
})
