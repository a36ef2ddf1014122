import { definePlugin } from '@collimate/core'
import { gaeEstimator } from './estimator.js'
import { gaeOptions } from './options.js'

export { gaeEstimator } from './estimator.js'
export { generalisedAdvantages } from './generalised-advantages.js'
export type { AdvantageRequest } from './generalised-advantages.js'
export { gaeOptions } from './options.js'
export type { GaeOptions } from './options.js'

export const gae = definePlugin({
  name: 'gae',
  version: '0.1.0',
  engine: '^0.1.0',
  kind: 'estimator',
  description: 'Generalised advantage estimation from the values of a critic.',
  options: gaeOptions,
  capabilities: { gae: true, whitened: true, needsValues: true, finalValues: true },
  create: (options) => gaeEstimator(options),
})

export default gae
