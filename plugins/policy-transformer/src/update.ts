import type { LossScale, StateId, TensorData, UpdateReport, UpdateRequest } from '@collimate/core'
import { fill, input, program } from '@collimate/graph'
import {
  adamwFeeds,
  adamwProgram,
  batchFeeds,
  batchSizes,
  checkBatches,
  checkTemperature,
  checkUpdate,
  gradientName,
  gradientNormProgram,
  objectiveProgram,
  objectiveReport,
  requireFinite,
  requireUnits,
  termScales,
} from '@collimate/models'
import type { AdamWStep, ObjectiveProgram } from '@collimate/models'
import type { Engine } from './engine.js'
import type { LossScaling } from './loss-scale.js'
import type { WeightSource, WeightStore } from './weights.js'

type Report = Omit<UpdateReport, 'version'>
type EvaluateRequest = Pick<UpdateRequest, 'objective' | 'batches' | 'metrics' | 'temperature'>

/** Loss and metrics, without gradients. */
export async function evaluate(engine: Engine, weights: WeightSource, request: EvaluateRequest): Promise<Report> {
  const report = await runObjective(engine, request, { gradients: false, scale: 1, state: async () => weights.state() })
  return { ...report, gradNorm: 0 }
}

/** How far training is, and how its loss is scaled. */
interface Progress {
  /** Optimiser steps before this one. */
  readonly optimizerSteps: number
  readonly lossScale: LossScale
  readonly scaling: LossScaling
}

/**
 * One optimiser step: the gradients of all micro-batches add up on the backend, then AdamW is applied to them. Where they
 * overflow they are computed again with a smaller loss scale. Gives the report, and the scale of the next step.
 *
 * @throws CollimateError COLLIMATE_UPDATE_INVALID, COLLIMATE_UPDATE_EMPTY, COLLIMATE_BATCH_INVALID, COLLIMATE_NOT_FINITE;
 * the weights are then as they were
 */
export async function update(
  engine: Engine,
  weights: WeightStore,
  request: UpdateRequest,
  { optimizerSteps, lossScale, scaling }: Progress,
): Promise<{ report: Report; lossScale: LossScale }> {
  checkUpdate(request)
  const attempt = async (scale: number) => {
    const state = () => weights.trainingState()
    const report = await runObjective(engine, request, { gradients: true, scale, state })
    return { ...report, gradNorm: (await gradientNorm(engine, weights)) / scale }
  }
  let { scale } = lossScale
  let report = await attempt(scale)
  while (!Number.isFinite(report.gradNorm)) {
    const smaller = scaling.smaller(scale)
    if (smaller === undefined) break
    scale = smaller
    report = await attempt(scale)
  }
  const { gradNorm } = report
  const fixed = !scaling.dynamic && scale > 1
  requireFinite('gradient norm', gradNorm, fixed ? `lossScale ${scale} may be too much: lower it, or auto` : undefined)
  await applyGradients(engine, weights, request, { step: optimizerSteps + 1, gradNorm, lossScale: scale })
  return {
    report: { ...report, ...(scaling.dynamic && { lossScale: scale }) },
    lossScale: scaling.next(lossScale, scale),
  }
}

/** Runs an objective over micro-batches; with gradients, their sum times the scale lies in the states `grad.NAME` afterwards. */
async function runObjective(
  engine: Engine,
  { objective: use, batches, metrics, temperature = 1 }: EvaluateRequest,
  target: { readonly gradients: boolean; readonly scale: number; readonly state: () => Promise<StateId> },
): Promise<Omit<Report, 'gradNorm'>> {
  const { architecture, config, head } = engine.files
  const objective = await engine.objective(use)
  checkBatches(batches, objective, config)
  checkTemperature(temperature)

  const outputs: Record<string, TensorData>[] = []
  let description: Pick<ObjectiveProgram, 'terms' | 'metrics'> = { terms: [], metrics: [] }
  // With several micro-batches all add, to gradients that are 0 at first: one program per shape, not two.
  const gradients = !target.gradients ? 'none' : batches.length === 1 ? 'assign' : 'add'
  if (gradients === 'add') await clearGradients(engine, await target.state())
  for (const batch of batches) {
    const sizes = batchSizes(batch)
    const key = `objective ${JSON.stringify({ use, metrics, temperature, sizes, gradients })}`
    const build = () => {
      const { program: built, ...info } = objectiveProgram({
        architecture,
        config,
        head,
        sizes,
        objective,
        metrics,
        temperature,
        gradients,
      })
      return { program: built, info }
    }
    await engine.programs.use({ key, build }, async ({ info, run }) => {
      requireUnits(info.terms, batches)
      description = info
      const feeds = { ...batchFeeds(batch), ...termScales(info.terms, batches, target.scale) }
      outputs.push(await run(feeds, [await target.state()]))
    })
  }

  const report = objectiveReport(description, outputs)
  requireFinite('loss', report.loss)
  return { ...report, tokens: batches.reduce((total, batch) => total + batch.tokenCount, 0) }
}

async function clearGradients(
  { files: { architecture, config, head }, programs }: Engine,
  state: StateId,
): Promise<void> {
  const build = () => {
    const updates = Object.entries(architecture.parameters(config, head)).map(([name, { shape }]) => ({
      state: input(gradientName(name), shape, 'float', 'state'),
      value: fill(0, shape),
    }))
    return { program: program({ name: 'clear gradients', updates }), info: undefined }
  }
  await programs.use({ key: 'clear gradients', build }, ({ run }) => run({}, [state]))
}

/** Norm of the gradients as they lie there. Looked at first: a bad gradient changes nothing. */
async function gradientNorm(
  { files: { architecture, config, head }, programs }: Engine,
  weights: WeightStore,
): Promise<number> {
  const states = [await weights.trainingState()]
  const build = () => ({ program: gradientNormProgram(architecture.parameters(config, head)), info: undefined })
  return programs.use({ key: 'gradient norm', build }, async ({ run }) => (await run({}, states))['gradNorm'][0])
}

/** Clips and applies the gradients. */
async function applyGradients(
  { files: { architecture, config, head }, programs }: Engine,
  weights: WeightStore,
  { optimizer, learningRate, maxGradNorm }: UpdateRequest,
  at: Pick<AdamWStep, 'step' | 'gradNorm' | 'lossScale'>,
): Promise<void> {
  const states = [await weights.trainingState()]
  const feeds = adamwFeeds({ optimizer, learningRate, maxGradNorm, ...at })
  const build = () => ({ program: adamwProgram(architecture.parameters(config, head), optimizer), info: undefined })
  await programs.use({ key: `adamw ${JSON.stringify(optimizer)}`, build }, ({ run }) => run(feeds, states))
  weights.changed()
}
