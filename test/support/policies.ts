import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterpreterBackend } from '@collimate/backend-interpreter'
import onnx from '@collimate/backend-onnx'
import type { Backend, Objective, ObjectiveUse, Policy } from '@collimate/core'
import { neg } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import { createModel } from '@collimate/models'
import type { ModelFiles } from '@collimate/models'
import { createPolicy } from '@collimate/policy-transformer'
import type { EngineOptions } from '@collimate/policy-transformer'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** Folder of a model whose values PyTorch computed. */
export const parityModel = (name: string): string => join(root, 'test/parity/models', name)

/** Optional test data beside the repository; undefined where it is not there. */
export function shared(path: string): string | undefined {
  const folder = join(root, '../shared', path)
  return existsSync(folder) ? folder : undefined
}

/** ONNX Runtime on one thread. */
export const onnxBackend = async (settings: { readonly precision?: 'float16' } = {}): Promise<Backend> =>
  onnx.definition.create(onnx.definition.options.parse({ threads: 1, ...settings }), undefined as never)

/** Every backend, with the relative error that its precision allows. */
export const backends = [
  { name: 'interpreter', create: async (): Promise<Backend> => createInterpreterBackend(), tolerance: 1e-9 },
  { name: 'onnx', create: () => onnxBackend(), tolerance: 2e-5 },
] as const

const sizes = { vocab_size: 23, bos_token_id: 1, eos_token_id: 2, initializer_range: 0.4 }

/** Models that are small and far from uniform. */
export const smallConfigs = {
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
} as const

export const smallModel = (name: keyof typeof smallConfigs = 'llama', seed = 7): ModelFiles =>
  createModel({ config: smallConfigs[name], seed })

/** Negative log-likelihood of the scored tokens. */
export const nextToken: Objective<Tensor> = {
  name: 'next-token',
  outputs: ['logProbs', 'entropy', 'correct'],
  inputs: {},
  coupled: false,
  terms: (t) => [{ perUnit: neg(t.logProbs), unit: 'tokens' }],
  metrics: (t) => ({
    entropy: { perUnit: t.entropy, unit: 'tokens' },
    accuracy: { perUnit: t.correct, unit: 'tokens' },
  }),
}
export const nextTokenUse: ObjectiveUse = { use: 'next-token', options: {} }

/** A policy of a model; objectives beyond next-token prediction by name. */
export function policyOf(
  backend: Backend,
  files: ModelFiles,
  { objectives = {}, ...options }: Partial<EngineOptions> & { objectives?: Record<string, Objective<Tensor>> } = {},
): Promise<Policy> {
  const known: Record<string, Objective<Tensor>> = { 'next-token': nextToken, ...objectives }
  return createPolicy({
    backend,
    files,
    objective: async ({ use }) => known[use] as Objective,
    options: { decodeBatchSize: 16, freezeDecoding: true, programMemory: 2 ** 28, ...options },
  })
}

/** Largest |a − b| / max(1, |b|). */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let worst = 0
  for (let index = 0; index < expected.length; index++) {
    const error = Math.abs(actual[index] - expected[index]) / Math.max(1, Math.abs(expected[index]))
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error
  }
  return worst
}
