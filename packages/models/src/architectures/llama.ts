import { add, constant, gather, reshape, rmsNorm, rotary, swiglu, type Tensor } from '@collimate/graph'
import type { Architecture, Parameter, TrunkInput } from './architecture.js'
import { mergeHeads, splitHeads } from './heads.js'
import { linear, linears, type Linear } from './linear.js'
import { parseLlamaConfig, type LlamaConfig } from './llama-config.js'
import { hasLanguageHead, hasScalarHead, scalarHead, scoreWeight, type ModelHead } from './model-head.js'
import { ropeTables } from './rope.js'

const embedding = 'model.embed_tokens.weight'
const layerName = (layer: number, part: string): string => `model.layers.${layer}.${part}`

/**
 * Llama (Touvron et al., arXiv 2302.13971; grouped-query attention as in Llama 2 and 3): RMSNorm before each block, rotary
 * positions, SwiGLU, linear layers stored [out, in].
 */
export const llama: Architecture<LlamaConfig> = {
  name: 'llama',
  modelClass: 'LlamaForCausalLM',
  sequenceClass: 'LlamaForSequenceClassification',
  prefix: 'model.',
  embedding,
  parse: parseLlamaConfig,
  parameters,
  isBuffer: (name) => name.endsWith('rotary_emb.inv_freq'),
  trunk,
  head: (config, weights) => weights[config.tied ? embedding : 'lm_head.weight'],
}

function parameters(config: LlamaConfig, head: ModelHead = 'language'): Record<string, Parameter> {
  const { hidden, inner, headDim, attentionBias, mlpBias } = config
  const queryWidth = config.heads * headDim
  const keyWidth = config.kvHeads * headDim
  const result: Record<string, Parameter> = {}
  const normal = { normal: config.initializerRange }
  const gain = (name: string): void => {
    result[name] = { shape: [hidden], decay: false, init: { fill: 1 } }
  }
  const layer = (name: string, output: number, input: number, biased: boolean): void => {
    result[`${name}.weight`] = { shape: [output, input], decay: true, init: normal }
    if (biased) result[`${name}.bias`] = { shape: [output], decay: false, init: { fill: 0 } }
  }
  result[embedding] = { shape: [config.vocabularySize, hidden], decay: true, init: normal }
  for (let i = 0; i < config.layers; i++) {
    gain(layerName(i, 'input_layernorm.weight'))
    layer(layerName(i, 'self_attn.q_proj'), queryWidth, hidden, attentionBias)
    layer(layerName(i, 'self_attn.k_proj'), keyWidth, hidden, attentionBias)
    layer(layerName(i, 'self_attn.v_proj'), keyWidth, hidden, attentionBias)
    layer(layerName(i, 'self_attn.o_proj'), hidden, queryWidth, attentionBias)
    gain(layerName(i, 'post_attention_layernorm.weight'))
    layer(layerName(i, 'mlp.gate_proj'), inner, hidden, mlpBias)
    layer(layerName(i, 'mlp.up_proj'), inner, hidden, mlpBias)
    layer(layerName(i, 'mlp.down_proj'), hidden, inner, mlpBias)
  }
  gain('model.norm.weight')
  if (hasLanguageHead(head) && !config.tied) layer('lm_head', config.vocabularySize, hidden, false)
  if (hasScalarHead(head)) result[scoreWeight] = scalarHead(hidden)
  return result
}

function trunk(config: LlamaConfig, weights: Readonly<Record<string, Tensor>>, x: TrunkInput): Tensor {
  const [batch, length] = x.tokens.shape
  const tableRows = Math.min(x.positionLimit ?? config.contextLength, config.contextLength)
  const tables = ropeTables(config.rope, config.headDim, tableRows)
  const cos = constant(tables.cos, [tableRows, config.headDim / 2])
  const sin = constant(tables.sin, [tableRows, config.headDim / 2])
  const rotate = (rows: Tensor, heads: number): Tensor => rotary(splitHeads(rows, batch, heads), cos, sin, x.positions)
  const norm = (rows: Tensor, name: string): Tensor => rmsNorm(rows, weights[name], config.normEpsilon)
  const join = x.joinWeights ?? false

  let rows = gather(weights[embedding], reshape(x.tokens, [batch * length]))
  for (let i = 0; i < config.layers; i++) {
    const part = (name: string): Linear => {
      const bias = weights[layerName(i, `${name}.bias`)]
      return { weight: weights[layerName(i, `${name}.weight`)], ...(bias ? { bias } : {}) }
    }
    const normed = norm(rows, layerName(i, 'input_layernorm.weight'))
    const projections = ['q', 'k', 'v'].map((name) => part(`self_attn.${name}_proj`))
    const [q, k, v] = linears(normed, projections, join)
    const mixed = x.attention(
      i,
      rotate(q, config.heads),
      rotate(k, config.kvHeads),
      splitHeads(v, batch, config.kvHeads),
    )
    const keep = (all: Tensor): Tensor => (x.keep && i === config.layers - 1 ? x.keep(all) : all)
    rows = add(keep(rows), linear(keep(mergeHeads(mixed)), part('self_attn.o_proj')))
    const again = norm(rows, layerName(i, 'post_attention_layernorm.weight'))
    const [gate, up] = linears(again, [part('mlp.gate_proj'), part('mlp.up_proj')], join)
    rows = add(rows, linear(swiglu(gate, up), part('mlp.down_proj')))
  }
  return norm(rows, 'model.norm.weight')
}
