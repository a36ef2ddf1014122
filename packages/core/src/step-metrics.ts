import type { UpdateReport, WeightedMean } from './contracts/model.js'

/** Whether optimiser step `step` (from 0) is logged: the first, every `loggingSteps`-th, and the last. */
export function isLogged(step: number, totalSteps: number, loggingSteps: number): boolean {
  return step === 0 || (step + 1) % loggingSteps === 0 || step + 1 === totalSteps
}

/** The value of each mean; one that counted nothing is left out, for it has none. */
export function meanMetrics(means: Readonly<Record<string, WeightedMean>>): Record<string, number> {
  const counted = Object.entries(means).filter(([, { count }]) => count > 0)
  return Object.fromEntries(counted.map(([name, { sum, count }]) => [name, sum / count]))
}

/** What the one update of a step reported, in TRL's names; `loss_scale` where the loss was scaled to what the gradients bear. */
export function updateMetrics(report: UpdateReport): Record<string, number> {
  const { loss, metrics, gradNorm, lossScale } = report
  return {
    loss,
    ...meanMetrics(metrics),
    grad_norm: gradNorm,
    ...(lossScale !== undefined && { loss_scale: lossScale }),
  }
}
