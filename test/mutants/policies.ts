import { lawsOfPolicy } from '@collimate/laws'
import { createInterpreterBackend } from '@collimate/backend-interpreter'
import { createModel, outputsOf } from '@collimate/models'
import { createPolicy } from '@collimate/policy-transformer'
import { mutantsOf } from './mutant.js'
import { heads } from './policies-heads.js'
import { layout, type CreatePolicy } from './policies-layout.js'
import { sampling } from './policies-sampling.js'
import { updates } from './policies-updates.js'

/** As small as a transformer can be that still has heads and layers to get wrong. */
const config = {
  ...{ model_type: 'llama', vocab_size: 7, bos_token_id: 1, eos_token_id: 0, initializer_range: 0.5 },
  ...{ hidden_size: 4, intermediate_size: 6, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1 },
  ...{ max_position_embeddings: 16, rms_norm_eps: 1e-5, tie_word_embeddings: true },
}

/** Both, so that there is more to get wrong. */
const head = 'language+score'

const right: CreatePolicy = (objective) =>
  createPolicy({
    backend: createInterpreterBackend(),
    files: createModel({ config, seed: 7, head }),
    objective,
    options: { decodeBatchSize: 16, freezeDecoding: true, programMemory: 2 ** 28 },
  })

export const policies = mutantsOf<CreatePolicy>({
  subject: 'a small transformer',
  right,
  suite: (create, name) => lawsOfPolicy({ name, create, tolerance: 1e-9, outputs: outputsOf(head) }),
  mutations: [...layout, ...heads, ...sampling, ...updates],
})
