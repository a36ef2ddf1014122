import { backends } from './backends.js'
import { buses } from './buses.js'
import { datasets } from './dataset-groups.js'
import { estimators } from './estimators.js'
import { formulas } from './formulas.js'
import { forests, tokenizers } from './layouts.js'
import { gae } from './gae.js'
import { losses } from './losses.js'
import type { MutantGroup } from './mutant.js'
import { options } from './options.js'
import { optima } from './optima.js'
import { policies } from './policies.js'
import { ppoLosses } from './ppo-losses.js'
import { ppoTrainers } from './ppo-trainers.js'
import { reinforceLosses } from './reinforce-losses.js'
import { reinforceTrainers } from './reinforce-trainers.js'
import { rewardLosses } from './reward-losses.js'
import { rewardModels } from './reward-models.js'
import { rewardTrainers } from './reward-trainers.js'
import { rewards } from './rewards.js'
import { trainers } from './trainer-groups.js'

/** Formulas, losses, data, programs and the bus. */
export const mathematics: readonly MutantGroup[] = [
  ...[formulas, optima, ...estimators, gae, ...losses, ...ppoLosses, ...reinforceLosses, ...rewardLosses],
  ...[backends, tokenizers, datasets, forests, rewards, ...rewardModels, options, buses],
]

/** What computes with a whole model: it takes longer. */
export const models: readonly MutantGroup[] = [
  policies,
  ...trainers,
  ppoTrainers,
  ...reinforceTrainers,
  ...rewardTrainers,
]

/** All mutants, by what they break. */
export const groups: readonly MutantGroup[] = [...mathematics, ...models]
