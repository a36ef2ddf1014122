import type { Backend } from '@collimate/core'
import { lawsOfPolicy, openBackend, type LawSuite } from '@collimate/laws'
import { createModel, outputsOf, type ModelHead } from '@collimate/models'
import transformer, { createPolicy } from './index.js'
import { MEBIBYTE } from './options.js'

const sizes = { vocab_size: 24, eos_token_id: 0 }

/** Small models of both architectures. */
const configs = {
  llama: {
    ...sizes,
    model_type: 'llama',
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 40,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  },
  gpt2: { ...sizes, model_type: 'gpt2', n_embd: 16, n_layer: 2, n_head: 4, n_positions: 40 },
}

/** The laws of policies: exactly on the interpreter, and in float32 on ONNX Runtime; with each head. */
export default async function laws(): Promise<LawSuite[]> {
  return [
    suite('llama', 'language', 'interpreter'),
    suite('gpt2', 'language', 'interpreter'),
    suite('llama', 'language', 'onnx'),
    suite('llama', 'language', 'onnx float16'),
    suite('llama', 'score', 'interpreter'),
    suite('gpt2', 'language+score', 'onnx'),
  ]
}

const backendsOf = {
  interpreter: { use: 'interpreter', options: {}, tolerance: 1e-9 },
  onnx: { use: 'onnx', options: { threads: 1 }, tolerance: 2e-5 },
  'onnx float16': { use: 'onnx', options: { threads: 1, precision: 'float16' }, tolerance: 2 ** -9 },
}

function suite(architecture: keyof typeof configs, head: ModelHead, on: keyof typeof backendsOf): LawSuite {
  const { use, options, tolerance } = backendsOf[on]
  const backends: Backend[] = []
  const laws = lawsOfPolicy({
    name: `transformer (${architecture}${head === 'language' ? '' : `, ${head}`}, ${on})`,
    tolerance,
    claims: transformer.definition.capabilities,
    outputs: outputsOf(head),
    async create(objective) {
      const backend = await openBackend(use, { ...options })
      backends.push(backend)
      return createPolicy({
        backend,
        files: createModel({ config: configs[architecture], seed: 7, head }),
        objective,
        options: { decodeBatchSize: 8, freezeDecoding: true, programMemory: 256 * MEBIBYTE },
      })
    },
  })
  return {
    ...laws,
    async close() {
      await laws.close()
      await Promise.all(backends.map((backend) => backend.close()))
    },
  }
}
