import type { ModelOutput } from '@collimate/core'
import { program, type Program } from '@collimate/graph'
import { modelTensors, type ModelProgramRequest } from './model-tensors.js'

/**
 * The program behind `Model.outputs`: feeds are the fields of a batch that it reads, states the weights, outputs each under
 * its own name, [T] or for `scores` [N], 0 at padding.
 */
export function outputsProgram(request: ModelProgramRequest & { readonly names: readonly ModelOutput[] }): Program {
  const model = modelTensors(request, request.names)
  return program({
    name: `outputs ${request.names.join(' ')}`,
    outputs: Object.fromEntries(request.names.map((name) => [name, model.output(name)])),
  })
}
