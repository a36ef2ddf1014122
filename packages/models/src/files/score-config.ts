import type { Architecture } from '../architectures/architecture.js'
import type { JsonObject } from '../json-object.js'

/**
 * The config.json of a sequence-classification model with one label, from that of any model of the architecture. Labels
 * and padding that it names already stay.
 *
 * @param padToken written where the configuration has none: transformers finds the last token of a padded row by it
 */
export function scoreConfig(
  rawConfig: JsonObject,
  { sequenceClass }: Pick<Architecture, 'sequenceClass'>,
  padToken: number | undefined,
): JsonObject {
  const { num_labels: _labels, architectures, ...rest } = rawConfig
  const isOne = Array.isArray(architectures) && architectures[0] === sequenceClass
  if (isOne) return { ...rawConfig, ...padding(rawConfig, padToken) }
  return {
    architectures: [sequenceClass],
    ...rest,
    id2label: { 0: 'LABEL_0' },
    label2id: { LABEL_0: 0 },
    ...padding(rawConfig, padToken),
  }
}

function padding(rawConfig: JsonObject, padToken: number | undefined): JsonObject {
  return (rawConfig['pad_token_id'] ?? undefined) === undefined && padToken !== undefined
    ? { pad_token_id: padToken }
    : {}
}
