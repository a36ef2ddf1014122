import type { ModelOutput } from '@collimate/core'
import { program, type Program } from '@collimate/graph'
import { modelTensors, type ModelProgramRequest } from './model-tensors.js'

/**
 * The program behind `Model.outputs`: feeds are the fields of a batch that it reads, states the weights, outputs [T] each
 * under its own name, 0 at padding.
 */
export function outputsProgram(request: ModelProgramRequest & { readonly names: readonly ModelOutput[] }): Program {
  const model = modelTensors(request)
  return program({
    name: `outputs ${request.names.join(' ')}`,
    outputs: Object.fromEntries(request.names.map((name) => [name, model.output(name)])),
  })
}
