import type { StateId, TensorData, UpdateReport, UpdateRequest } from '@collimate/core'
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
import type { ObjectiveProgram } from '@collimate/models'
import type { Engine } from './engine.js'
import type { WeightSource, WeightStore } from './weights.js'

type Report = Omit<UpdateReport, 'version'>
type EvaluateRequest = Pick<UpdateRequest, 'objective' | 'batches' | 'metrics' | 'temperature'>

/** Loss and metrics, without gradients. */
export async function evaluate(engine: Engine, weights: WeightSource, request: EvaluateRequest): Promise<Report> {
  const report = await runObjective(engine, request, { gradients: false, state: async () => weights.state() })
  return { ...report, gradNorm: 0 }
}

/**
 * One optimiser step: the gradients of all micro-batches add up on the backend, then AdamW is applied to them.
 *
 * @param stepsTaken optimiser steps before this one
 * @throws CollimateError COLLIMATE_UPDATE_INVALID, COLLIMATE_UPDATE_EMPTY, COLLIMATE_BATCH_INVALID, COLLIMATE_NOT_FINITE;
 * the weights are then as they were
 */
export async function update(
  engine: Engine,
  weights: WeightStore,
  request: UpdateRequest,
  stepsTaken: number,
): Promise<Report> {
  checkUpdate(request)
  const report = await runObjective(engine, request, { gradients: true, state: () => weights.trainingState() })
  const gradNorm = await applyGradients(engine, weights, request, stepsTaken + 1)
  return { ...report, gradNorm }
}

/** Runs an objective over micro-batches; with gradients, their sum lies in the states `grad.NAME` afterwards. */
async function runObjective(
  engine: Engine,
  { objective: use, batches, metrics, temperature = 1 }: EvaluateRequest,
  target: { readonly gradients: boolean; readonly state: () => Promise<StateId> },
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
      outputs.push(await run({ ...batchFeeds(batch), ...termScales(info.terms, batches) }, [await target.state()]))
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

/** Clips and applies the gradients; returns their norm before clipping. Checked first: a bad gradient changes nothing. */
async function applyGradients(
  { files: { architecture, config, head }, programs }: Engine,
  weights: WeightStore,
  { optimizer, learningRate, maxGradNorm }: UpdateRequest,
  step: number,
): Promise<number> {
  const parameters = architecture.parameters(config, head)
  const states = [await weights.trainingState()]
  const gradNorm = await programs.use(
    { key: 'gradient norm', build: () => ({ program: gradientNormProgram(parameters), info: undefined }) },
    async ({ run }) => (await run({}, states))['gradNorm'][0],
  )
  requireFinite('gradient norm', gradNorm)
  const feeds = adamwFeeds({ optimizer, learningRate, step, gradNorm, maxGradNorm })
  await programs.use(
    {
      key: `adamw ${JSON.stringify(optimizer)}`,
      build: () => ({ program: adamwProgram(parameters, optimizer), info: undefined }),
    },
    ({ run }) => run(feeds, states),
  )
  weights.changed()
  return gradNorm
}
