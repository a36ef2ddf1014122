import { lawsOfTrainer, testLaws } from '@collimate/laws'
import { dpoLossOptions, dpoObjective, dpoOptions, dpoTrainer } from '@collimate/trainer-dpo'
import { sftObjective, sftOptions, sftTrainer } from '@collimate/trainer-sft'
import { test } from 'vitest'

testLaws(
  lawsOfTrainer({
    name: 'dpo',
    create: (options) => dpoTrainer(dpoOptions.parse(options)),
    objectives: ({ options }) => dpoObjective(dpoLossOptions.parse(options)),
    claims: { optimum: 'preferences' },
  }),
  { test },
)

testLaws(
  lawsOfTrainer({
    name: 'sft',
    create: (options) => sftTrainer(sftOptions.parse(options)),
    objectives: () => sftObjective,
    claims: { optimum: 'imitation' },
  }),
  { test },
)
