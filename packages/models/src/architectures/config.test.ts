import { describe, expect, test } from 'vitest'
import { parseGpt2Config } from './gpt2-config.js'
import { parseLlamaConfig } from './llama-config.js'
import { ropeFrequencies } from './rope.js'

const llama = {
  hidden_size: 16,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 11,
  max_position_embeddings: 24,
}
const gpt2 = { n_embd: 12, n_head: 3, n_layer: 2, n_positions: 24, vocab_size: 11 }
const refusal = (work: () => unknown): { code: string; message: string } => {
  try {
    work()
  } catch (error) {
    return error as { code: string; message: string }
  }
  throw new Error('accepted')
}

test('defaults are those of transformers', () => {
  expect(parseLlamaConfig(llama)).toEqual({
    layers: 2,
    heads: 4,
    kvHeads: 4,
    headDim: 4,
    hidden: 16,
    inner: 12,
    vocabularySize: 11,
    contextLength: 24,
    attentionScale: 0.5,
    tied: false,
    normEpsilon: 1e-6,
    initializerRange: 0.02,
    rope: { theta: 10000 },
    attentionBias: false,
    mlpBias: false,
  })
  expect(parseGpt2Config({ ...gpt2, n_inner: null })).toMatchObject({
    kvHeads: 3,
    headDim: 4,
    inner: 48,
    tied: true,
    normEpsilon: 1e-5,
    activation: 'tanh',
    attentionScale: 0.5,
  })
  expect(parseGpt2Config({ ...gpt2, scale_attn_weights: false, activation_function: 'gelu' })).toMatchObject({
    attentionScale: 1,
    activation: 'erf',
  })
})

describe('wrong fields are refused by name', () => {
  test.each([
    ['hidden_size', undefined, /config\.json: "hidden_size" is missing/],
    ['hidden_size', 2.5, /"hidden_size" is 2.5, it must be a positive integer/],
    ['hidden_size', 18, /"hidden_size" is 18, it must be a multiple of num_attention_heads \(4\)/],
    ['num_key_value_heads', 3, /"num_key_value_heads" is 3, it must be a divisor/],
    ['head_dim', 5, /"head_dim" is 5, it must be even/],
    ['vocab_size', '11', /"vocab_size" is "11"/],
    ['rms_norm_eps', 0, /"rms_norm_eps" is 0/],
    ['tie_word_embeddings', 'yes', /"tie_word_embeddings" is "yes", it must be true or false/],
    ['rope_scaling', 3, /"rope_scaling" is 3, it must be an object/],
    ['rope_parameters', { rope_type: 'llama3' }, /"rope_parameters\.factor" is missing/],
    [
      'rope_scaling',
      { type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4, original_max_position_embeddings: 8 },
      /"rope_scaling\.high_freq_factor" is 4/,
    ],
  ])('%s %o', (field, value, message) => {
    const error = refusal(() => parseLlamaConfig({ ...llama, [field]: value }))
    expect(error.code).toBe('COLLIMATE_MODEL_CONFIG_INVALID')
    expect(error.message).toMatch(message)
  })

  test.each([null, [], 'x'])('%o instead of an object', (json) => {
    expect(refusal(() => parseLlamaConfig(json, 'a/config.json')).message).toMatch(/^a\/config\.json does not hold/)
  })
})

describe('what is not implemented is refused, not ignored', () => {
  test.each([
    ['hidden_act', 'relu'],
    ['quantization_config', { bits: 4 }],
    ['rope_scaling', { rope_type: 'yarn', factor: 2 }],
    ['rope_scaling', { type: 'dynamic', factor: 2 }],
    ['rope_parameters', { rope_type: 'default', partial_rotary_factor: 0.5 }],
  ])('llama %s %o', (field, value) => {
    const error = refusal(() => parseLlamaConfig({ ...llama, [field]: value }))
    expect(error).toMatchObject({ code: 'COLLIMATE_MODEL_UNSUPPORTED' })
    expect(error.message).toContain(field)
  })

  test.each([
    ['activation_function', 'tanh'],
    ['scale_attn_by_inverse_layer_idx', true],
    ['add_cross_attention', true],
  ])('gpt2 %s %o', (field, value) => {
    expect(refusal(() => parseGpt2Config({ ...gpt2, [field]: value }))).toMatchObject({
      code: 'COLLIMATE_MODEL_UNSUPPORTED',
    })
  })
})

test('rotary settings in both spellings', () => {
  const scaling = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 }
  const expected = {
    theta: 500,
    llama3: { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 64 },
  }
  const spellings = [
    { rope_parameters: { rope_type: 'llama3', rope_theta: 500, ...scaling } },
    { rope_theta: 500, rope_scaling: { rope_type: 'llama3', ...scaling } },
    { rope_theta: 500, rope_scaling: { type: 'llama3', ...scaling } },
  ]
  for (const spelling of spellings) expect(parseLlamaConfig({ ...llama, ...spelling }).rope).toEqual(expected)
  expect(parseLlamaConfig({ ...llama, rope_scaling: null, rope_theta: 500 }).rope).toEqual({ theta: 500 })
})

test('Llama 3 scaling keeps high frequencies, divides low ones, and is monotone between', () => {
  const rope = {
    theta: 10000,
    llama3: { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 64 },
  }
  const [plain, scaled] = [ropeFrequencies({ theta: 10000 }, 64), ropeFrequencies(rope, 64)]
  expect(scaled[0]).toBe(plain[0])
  expect(scaled[31]).toBe(plain[31] / 8)
  for (let i = 1; i < 32; i++) expect(scaled[i]).toBeLessThan(scaled[i - 1])
})
