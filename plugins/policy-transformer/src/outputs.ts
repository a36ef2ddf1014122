import type { ForestBatch, ModelOutput, TensorData } from '@collimate/core'
import { batchFeeds, batchSizes, checkBatch, checkTemperature, outputsProgram } from '@collimate/models'
import type { Engine } from './engine.js'
import type { WeightSource } from './weights.js'

/** Outputs of the model for a batch, each [T], or [N] for `scores`; 0 at padding. */
export async function computeOutputs(
  { files: { architecture, config, head }, programs }: Engine,
  weights: WeightSource,
  request: { batch: ForestBatch; names: readonly ModelOutput[]; temperature?: number },
): Promise<Partial<Record<ModelOutput, Float32Array | Float64Array>>> {
  const { batch, temperature = 1 } = request
  checkBatch(batch, config)
  checkTemperature(temperature)
  const sizes = batchSizes(batch)
  const names = [...new Set(request.names)].sort()
  if (names.length === 0) return {}
  return programs.use(
    {
      key: `outputs ${JSON.stringify({ names, sizes, temperature })}`,
      build: () => ({
        program: outputsProgram({ architecture, config, head, sizes, temperature, names }),
        info: undefined,
      }),
    },
    async (compiled) => floats(await compiled.run(batchFeeds(batch), [weights.state()])),
  )
}

function floats(outputs: Record<string, TensorData>) {
  return outputs as Partial<Record<ModelOutput, Float32Array | Float64Array>>
}
