import { describe, expect, test } from 'vitest'
import { l2 } from '../testing/parity.js'
import { tinyGpt2, tinyLlama } from '../testing/tiny-models.js'
import { createModel } from './create-model.js'
import { newScalarHead } from './initialise.js'

const wide = {
  model_type: 'gpt2',
  n_embd: 64,
  n_head: 4,
  n_layer: 8,
  n_positions: 32,
  vocab_size: 50,
  eos_token_id: 7,
}

describe('a new model', () => {
  test('is fixed by its seed', () => {
    expect(tinyLlama(5).weights).toEqual(tinyLlama(5).weights)
    const [a, b] = [tinyLlama(5).weights, tinyLlama(6).weights]
    const values = (weights: typeof a) => [...weights['model.embed_tokens.weight'].data]
    expect(values(a).filter((value) => values(b).includes(value))).toEqual([])
  })

  test('starts as transformers starts it', () => {
    const { weights } = createModel({ config: wide, seed: 1 })
    const deviation = (name: string) => l2(weights[name].data) / Math.sqrt(weights[name].data.length)
    expect(deviation('transformer.h.0.attn.c_attn.weight') / 0.02).toBeCloseTo(1, 1)
    expect(deviation('transformer.h.0.mlp.c_proj.weight') / (0.02 / 4)).toBeCloseTo(1, 1)
    expect(new Set(weights['transformer.ln_f.weight'].data)).toEqual(new Set([1]))
    expect(new Set(weights['transformer.ln_f.bias'].data)).toEqual(new Set([0]))
  })

  test('carries its configuration', () => {
    const files = createModel({ config: wide, seed: 1 })
    expect(files.rawConfig).toEqual({ architectures: ['GPT2LMHeadModel'], ...wide })
    expect(files.eosTokens).toEqual([7])
    expect(tinyLlama().eosTokens).toEqual([2, 3])
    expect(tinyLlama().bosToken).toBe(1)
    expect(tinyGpt2().eosTokens).toEqual([])
  })

  test('tied heads have no matrix of their own; decay is for matrices', () => {
    const { architecture, config } = tinyLlama(1, { attention_bias: true })
    const parameters = architecture.parameters(config)
    expect(Object.keys(parameters)).not.toContain('lm_head.weight')
    for (const { shape, decay } of Object.values(parameters)) expect(decay).toBe(shape.length === 2)
  })
})

describe('a new scalar head', () => {
  test('has the variance 1 / (d + 1)', () => {
    const { data, shape } = newScalarHead({ hidden: 4096 }, 3)
    expect(shape).toEqual([1, 4096])
    const variance = Array.from(data).reduce((sum, value) => sum + value * value, 0) / 4096
    // Five standard deviations of the variance of 4096 numbers.
    expect(Math.abs(variance * 4097 - 1)).toBeLessThan(5 * Math.sqrt(2 / 4096))
  })

  test('is the same on every trunk of its width and seed, and the trunk the same under every head', () => {
    const score = tinyLlama(3, {}, 'score').weights
    const deeper = tinyLlama(3, { num_hidden_layers: 1 }, 'language+score').weights
    expect(score['score.weight']).toEqual(newScalarHead({ hidden: 16 }, 3))
    expect(deeper['score.weight']).toEqual(score['score.weight'])
    expect(tinyLlama(4, {}, 'score').weights['score.weight']).not.toEqual(score['score.weight'])
    const { 'score.weight': _head, ...trunk } = score
    expect(tinyLlama(3).weights).toEqual(trunk)
  })
})

test('`auto` takes the head that the configuration names', () => {
  const config = { ...tinyLlama().rawConfig, architectures: ['LlamaForSequenceClassification'], num_labels: 1 }
  expect(createModel({ config, seed: 1 }).head).toBe('score')
  expect(createModel({ config: tinyLlama().rawConfig, seed: 1 }).head).toBe('language')
  const other = createModel({ config, seed: 1, head: 'language' })
  expect(other).toMatchObject({ head: 'language', rawConfig: { architectures: ['LlamaForCausalLM'] } })
})
