import { join } from 'node:path'
import { ConfigReader } from '../architectures/config-reader.js'
import type { JsonObject } from '../json-object.js'
import { writeFileAtomically } from './atomic.js'
import { configText } from './config-text.js'
import { readJsonObject } from './json.js'

/** Mean and standard deviation of a reward model's scores on its data: score′ = (score − mean) / std. */
export interface RewardNormalisation {
  readonly mean: number
  readonly std: number
}

/**
 * The normalisation that a config.json carries, in its field `collimate: { rewardMean, rewardStd }`, which transformers
 * keeps and does not read; undefined where it carries none. The model's own scores are those before it.
 *
 * @throws CollimateError COLLIMATE_MODEL_CONFIG_INVALID naming file and field
 */
export function rewardNormalisationOf(config: JsonObject, source = 'config.json'): RewardNormalisation | undefined {
  const reader = ConfigReader.of(config, source).object('collimate')
  if (reader?.raw('rewardMean') === undefined && reader?.raw('rewardStd') === undefined) return undefined
  return { mean: reader.number('rewardMean'), std: reader.positive('rewardStd') }
}

/** The config.json with this normalisation, or without one. COLLIMATE_MODEL_CONFIG_INVALID where it is none. */
export function withRewardNormalisation(
  config: JsonObject,
  normalisation: RewardNormalisation | undefined,
): JsonObject {
  const { collimate, ...rest } = config
  const { rewardMean: _mean, rewardStd: _std, ...further } = (collimate ?? {}) as JsonObject
  const ours = { ...further, ...(normalisation && { rewardMean: normalisation.mean, rewardStd: normalisation.std }) }
  const changed = Object.keys(ours).length > 0 ? { ...rest, collimate: ours } : rest
  rewardNormalisationOf(changed)
  return changed
}

/** The normalisation of the model in a folder. */
export async function readRewardNormalisation(folder: string): Promise<RewardNormalisation | undefined> {
  const file = join(folder, 'config.json')
  return rewardNormalisationOf(await readJsonObject(file), file)
}

/** Writes a normalisation into the config.json of a model folder, or takes it out of it. */
export async function writeRewardNormalisation(
  folder: string,
  normalisation: RewardNormalisation | undefined,
): Promise<void> {
  const file = join(folder, 'config.json')
  const text = configText(withRewardNormalisation(await readJsonObject(file), normalisation))
  await writeFileAtomically(file, async (handle) => {
    await handle.writeFile(text)
  })
}
