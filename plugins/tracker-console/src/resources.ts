import type { Resources } from '@collimate/core'
import { duration, shortCount } from './format.js'

const memory = (bytes: number): string =>
  bytes < 1e10 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`

/** `holds 2 models (policy 524k, reference 524k parameters), 17 MB of state, 600 MB in all`. */
export function holdingsLine({ models, stateBytes, processBytes }: Resources): string {
  const each = models.map(({ role, parameters }) => `${role} ${shortCount(parameters)}`).join(', ')
  const many = `${models.length} model${models.length === 1 ? '' : 's'}`
  return `holds ${many} (${each} parameters), ${memory(stateBytes)} of state, ${memory(processBytes)} in all`
}

/** `trained on 132k tokens and sampled 88.0k in 31 s; held at most 17 MB of state, 700 MB in all`. */
export function costLine(resources: Resources): string {
  const { trainedTokens, generatedTokens, trainingSeconds, stateBytes, processBytes } = resources
  const sampled = generatedTokens > 0 ? ` and sampled ${shortCount(generatedTokens)}` : ''
  const trained = `trained on ${shortCount(trainedTokens)} tokens${sampled} in ${duration(trainingSeconds)}`
  return `${trained}; held at most ${memory(stateBytes)} of state, ${memory(processBytes)} in all`
}
