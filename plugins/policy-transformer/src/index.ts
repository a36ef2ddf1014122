import { CollimateError, definePlugin } from '@collimate/core'
import { modelFiles } from './model-source.js'
import { MEBIBYTE, options } from './options.js'
import { createPolicy } from './policy.js'

export { createPolicy }
export type { EngineOptions, EngineRequest } from './engine.js'

/** A transformer (Llama, GPT-2) as a policy on the experiment's backend. */
export const transformer = definePlugin({
  name: 'transformer',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'policy',
  description: 'a decoder-only transformer from a Hugging Face folder, or a new one',
  options,
  capabilities: { generate: true, update: true },
  async create(chosen, context) {
    const { backend, seed } = context
    if (backend === undefined)
      throw new CollimateError('COLLIMATE_BACKEND_MISSING', 'the policy `transformer` needs a backend to compute on', {
        hint: 'Add a backend to the experiment, e.g. `backend: { use: onnx }`.',
      })
    const { decodeBatchSize, freezeDecoding, lossScale, programMemory } = chosen
    return createPolicy({
      backend,
      files: await modelFiles(chosen, (relative) => context.path(relative), seed),
      objective: (use) => context.objective(use),
      options: { decodeBatchSize, freezeDecoding, lossScale, programMemory: programMemory * MEBIBYTE },
    })
  },
})

export default transformer
