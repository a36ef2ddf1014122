import { CollimateError } from '@collimate/core'
import type { Architecture } from '../architectures/architecture.js'
import { ConfigReader } from '../architectures/config-reader.js'
import { hasLanguageHead, type ModelHead } from '../architectures/model-head.js'
import type { JsonObject } from '../json-object.js'

/** File of a value head beside a causal model; it holds `score.weight`. */
export const valueHeadFile = 'value_head.safetensors'

/** What `auto` and the heads that may be asked for are called. */
export type WantedHead = ModelHead | 'auto'

/**
 * The head that a config.json says its model has: that of its class in `architectures`; `language` where it names none.
 *
 * @throws CollimateError COLLIMATE_MODEL_UNSUPPORTED for another class, and for a number of labels that is not 1
 */
export function storedHead(
  rawConfig: JsonObject,
  architecture: Pick<Architecture, 'sequenceClass'>,
  source: string,
): 'language' | 'score' {
  const reader = ConfigReader.of(rawConfig, source)
  const classes = reader.raw('architectures')
  if (classes !== undefined && !(Array.isArray(classes) && classes.every((name) => typeof name === 'string')))
    return reader.invalid('architectures', 'a list of class names')
  const [name] = (classes ?? []) as string[]
  if (name === architecture.sequenceClass) {
    checkLabels(reader)
    return 'score'
  }
  // GPT2LMHeadModel, LlamaForCausalLM, and the bare trunks GPT2Model and LlamaModel.
  if (name === undefined || !/For(?!CausalLM$)|DoubleHeads/.test(name)) return 'language'
  return reader.unsupported('architectures', `known: causal language models and ${architecture.sequenceClass}`)
}

/** One label: transformers writes it as `id2label` with one entry, and takes two labels where nothing is said. */
function checkLabels(reader: ConfigReader): void {
  const labels = reader.object('id2label')
  const count = labels?.length() ?? reader.raw('num_labels') ?? 2
  if (count === 1) return
  const field = labels === undefined && reader.raw('num_labels') !== undefined ? 'num_labels' : 'id2label'
  reader.unsupported(field, 'a reward model has one label')
}

/**
 * The head that a model gets: what is asked for, or what it has.
 *
 * @throws CollimateError COLLIMATE_HEAD_MISSING where a language head is asked for and there is none
 */
export function headOf(wanted: WantedHead, stored: 'language' | 'score', source: string): ModelHead {
  if (wanted === 'auto') return stored
  if (stored === 'language' || !hasLanguageHead(wanted)) return wanted
  throw new CollimateError(
    'COLLIMATE_HEAD_MISSING',
    `${source}: "architectures" names a sequence-classification model, which has no language head; head \`${wanted}\` needs one`,
    { hint: 'use head `score`, or the causal language model that it was made from' },
  )
}
