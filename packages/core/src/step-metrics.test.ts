import { expect, test } from 'vitest'
import type { UpdateReport } from './contracts/model.js'
import { meanMetrics, updateMetrics } from './step-metrics.js'

const report: UpdateReport = {
  ...{ loss: 2, gradNorm: 3, tokens: 4, version: 1, microBatches: [] },
  metrics: { entropy: { sum: 6, count: 4 }, none: { sum: 0, count: 0 } },
}

test('what counted nothing has no mean', () => {
  expect(meanMetrics(report.metrics)).toEqual({ entropy: 1.5 })
})

test('an update is told in the names of TRL, its loss scale where there is one', () => {
  expect(updateMetrics(report)).toEqual({ loss: 2, entropy: 1.5, grad_norm: 3 })
  expect(updateMetrics({ ...report, lossScale: 1024 })).toMatchObject({ grad_norm: 3, loss_scale: 1024 })
})
