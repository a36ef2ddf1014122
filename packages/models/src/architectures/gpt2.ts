import { add, gather, gelu, layerNorm, relu, reshape, type Tensor } from '@collimate/graph'
import type { Architecture, Parameter, TrunkInput } from './architecture.js'
import { parseGpt2Config, type Gpt2Config } from './gpt2-config.js'
import { mergeHeads, splitHeads } from './heads.js'
import { columns, linear } from './linear.js'
import { hasLanguageHead, hasScalarHead, scalarHead, scoreWeight, type ModelHead } from './model-head.js'

const embedding = 'transformer.wte.weight'
const layerName = (layer: number, part: string): string => `transformer.h.${layer}.${part}`

/**
 * GPT-2 (Radford et al. 2019): LayerNorm before each block, learned positions, GELU, linear layers ("Conv1D") stored
 * [in, out], q, k and v in one of them.
 */
export const gpt2: Architecture<Gpt2Config> = {
  name: 'gpt2',
  modelClass: 'GPT2LMHeadModel',
  sequenceClass: 'GPT2ForSequenceClassification',
  prefix: 'transformer.',
  embedding,
  parse: parseGpt2Config,
  parameters,
  isBuffer: (name) => /\.attn\.(masked_)?bias$/.test(name),
  trunk,
  head: (config, weights) => weights[config.tied ? embedding : 'lm_head.weight'],
}

function parameters(config: Gpt2Config, head: ModelHead = 'language'): Record<string, Parameter> {
  const { hidden, inner, initializerRange } = config
  const result: Record<string, Parameter> = {}
  const normal = { normal: initializerRange }
  // Projections back into the residual stream start smaller by the root of their number (GPT-2, section 2.3).
  const residual = { normal: initializerRange / Math.sqrt(2 * config.layers) }
  const layer = (name: string, input: number, output: number, init: Parameter['init']): void => {
    result[`${name}.weight`] = { shape: [input, output], decay: true, init }
    result[`${name}.bias`] = { shape: [output], decay: false, init: { fill: 0 } }
  }
  const norm = (name: string): void => {
    result[`${name}.weight`] = { shape: [hidden], decay: false, init: { fill: 1 } }
    result[`${name}.bias`] = { shape: [hidden], decay: false, init: { fill: 0 } }
  }
  result[embedding] = { shape: [config.vocabularySize, hidden], decay: true, init: normal }
  result['transformer.wpe.weight'] = { shape: [config.contextLength, hidden], decay: true, init: normal }
  for (let i = 0; i < config.layers; i++) {
    norm(layerName(i, 'ln_1'))
    layer(layerName(i, 'attn.c_attn'), hidden, 3 * hidden, normal)
    layer(layerName(i, 'attn.c_proj'), hidden, hidden, residual)
    norm(layerName(i, 'ln_2'))
    layer(layerName(i, 'mlp.c_fc'), hidden, inner, normal)
    layer(layerName(i, 'mlp.c_proj'), inner, hidden, residual)
  }
  norm('transformer.ln_f')
  if (hasLanguageHead(head) && !config.tied)
    result['lm_head.weight'] = { shape: [config.vocabularySize, hidden], decay: true, init: normal }
  if (hasScalarHead(head)) result[scoreWeight] = scalarHead(hidden)
  return result
}

function trunk(config: Gpt2Config, weights: Readonly<Record<string, Tensor>>, x: TrunkInput): Tensor {
  const { hidden, heads } = config
  const [batch, length] = x.tokens.shape
  const flat = (ids: Tensor): Tensor => reshape(ids, [batch * length])
  const norm = (rows: Tensor, name: string): Tensor =>
    layerNorm(rows, weights[`${name}.weight`], weights[`${name}.bias`], config.normEpsilon)
  const conv1d = (rows: Tensor, name: string): Tensor =>
    linear(rows, { weight: weights[`${name}.weight`], bias: weights[`${name}.bias`] }, true)
  const activate = (rows: Tensor): Tensor => (config.activation === 'relu' ? relu(rows) : gelu(rows, config.activation))

  let rows = add(
    gather(weights[embedding], flat(x.tokens)),
    gather(weights['transformer.wpe.weight'], flat(x.positions)),
  )
  for (let i = 0; i < config.layers; i++) {
    const qkv = conv1d(norm(rows, layerName(i, 'ln_1')), layerName(i, 'attn.c_attn'))
    const [q, k, v] = [0, 1, 2].map((part) =>
      splitHeads(columns(qkv, part * hidden, (part + 1) * hidden), batch, heads),
    )
    const mixed = x.attention(i, q, k, v)
    const keep = (all: Tensor): Tensor => (x.keep && i === config.layers - 1 ? x.keep(all) : all)
    rows = add(keep(rows), conv1d(keep(mergeHeads(mixed)), layerName(i, 'attn.c_proj')))
    const inner = activate(conv1d(norm(rows, layerName(i, 'ln_2')), layerName(i, 'mlp.c_fc')))
    rows = add(rows, conv1d(inner, layerName(i, 'mlp.c_proj')))
  }
  return norm(rows, 'transformer.ln_f')
}
