import { lawsOfTrainer } from '@collimate/laws'
import { dpoLossOptions, dpoObjective, dpoOptions, dpoTrainer } from '@collimate/trainer-dpo'
import { sftObjective, sftOptions, sftTrainer } from '@collimate/trainer-sft'
import { mutantsOf } from './mutant.js'
import { ofAnyTrainer, ofPairTrainers, type CreateTrainer } from './trainers.js'

export const trainers = [
  mutantsOf<CreateTrainer>({
    subject: 'trainer dpo',
    right: (options) => dpoTrainer(dpoOptions.parse(options)),
    suite: (create, name) =>
      lawsOfTrainer({
        ...{ name, create, claims: { optimum: 'preferences' } },
        objectives: ({ options }) => dpoObjective(dpoLossOptions.parse(options)),
      }),
    mutations: [
      ...ofAnyTrainer,
      ...ofPairTrainers,
      {
        id: 'trainer-beta-ignored',
        defect: 'class 34',
        what: 'beta is read and the default is used',
        wrong: (right) => (options) => right({ ...options, beta: 0.1 }),
      },
      {
        id: 'trainer-smooths-unasked',
        defect: 'L9',
        what: 'label smoothing is not the one that was asked for',
        wrong: () => (options) => dpoTrainer(dpoOptions.parse({ ...options, labelSmoothing: 0.1 })),
      },
      {
        id: 'trainer-loss-name-ignored',
        defect: 'L27',
        what: 'another loss is trained than the one that was named',
        wrong: () => (options) => dpoTrainer(dpoOptions.parse({ ...options, loss: 'ipo' })),
      },
    ],
  }),
  mutantsOf<CreateTrainer>({
    subject: 'trainer sft',
    right: (options) => sftTrainer(sftOptions.parse(options)),
    suite: (create, name) =>
      lawsOfTrainer({ name, create, claims: { optimum: 'imitation' }, objectives: () => sftObjective }),
    mutations: [
      // One completion a row: there is nothing to see on the other side of a border.
      ...ofAnyTrainer
        .filter(({ id }) => id !== 'trainer-packs-without-borders')
        .map((mutation) => ({ ...mutation, id: mutation.id.replace('trainer', 'sft') })),
      {
        id: 'sft-trains-on-prompts',
        defect: 'L11',
        what: 'the prompt is not masked',
        wrong: () => (options) => sftTrainer(sftOptions.parse({ ...options, completionOnly: false })),
      },
    ],
  }),
]
