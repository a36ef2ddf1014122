import type { Example, Trainer } from '@collimate/core'
import { lawsOfTrainer } from '@collimate/laws'
import {
  processObjective,
  rewardLossOptions,
  rewardObjective,
  rewardOptions,
  rewardTrainer,
} from '@collimate/trainer-reward'
import { mutantsOf, type Mutation } from './mutant.js'
import { ofAnyTrainer, ofPairTrainers, reading, type CreateTrainer } from './trainers.js'

type TrainerMutation = Mutation<CreateTrainer>

/** The scored tokens of a batch are nothing to a score at its end. */
const blind = ['trainer-scores-late', 'trainer-scores-padding']

const completions = (change: (ids: Int32Array) => Int32Array): TrainerMutation['wrong'] =>
  reading((examples) => examples.map((example) => ({ ...example, completions: example.completions.map(change) })))

const margins = (change: (margin: number) => number): TrainerMutation['wrong'] =>
  reading((examples) =>
    examples.map((example): Example => ({
      ...example,
      columns: { ...example.columns, margin: change((example.columns.margin as number | undefined) ?? 0) },
    })),
  )

const evaluating =
  (name: string, value: (value: number) => number): TrainerMutation['wrong'] =>
  (right) =>
  (options) => {
    const trainer: Trainer = right(options)
    return {
      ...trainer,
      async evaluate(context) {
        const measured = (await trainer.evaluate?.(context)) ?? {}
        const changed = value(measured[name].value)
        return { ...measured, [name]: { ...measured[name], value: changed, low: changed, high: changed } }
      },
    }
  }

export const rewardTrainers = [
  mutantsOf<CreateTrainer>({
    subject: 'trainer reward',
    right: (options) => rewardTrainer(rewardOptions.parse(options)),
    suite: (create, name) =>
      lawsOfTrainer({
        ...{ name, create, claims: { optimum: 'rewards', margins: true } },
        objectives: ({ options }) => rewardObjective(rewardLossOptions.parse(options)),
      }),
    mutations: [
      ...[...ofAnyTrainer, ...ofPairTrainers]
        .filter(({ id }) => !blind.includes(id) && !/reference|cache/.test(id))
        .map((mutation) => ({ ...mutation, id: mutation.id.replace('trainer', 'reward-trainer') })),
      {
        id: 'reward-trainer-reads-early',
        defect: 'class 2, class 12',
        what: 'the score is read before the last token of an answer',
        wrong: completions((ids) => (ids.length > 1 ? ids.slice(0, -1) : ids)),
      },
      {
        id: 'reward-trainer-reads-first',
        defect: 'class 12',
        what: 'the score is read at the first token of an answer',
        wrong: completions((ids) => ids.slice(0, 1)),
      },
      {
        id: 'reward-trainer-margin-ignored',
        defect: 'L18',
        what: 'the column `margin` is read and not used',
        wrong: margins(() => 0),
      },
      {
        id: 'reward-trainer-margin-sign',
        defect: 'class 37',
        what: 'margins are taken for how far the chosen reward may be behind',
        wrong: margins((margin) => -margin),
      },
      {
        id: 'reward-trainer-accuracy-of-ties',
        defect: 'class 55',
        what: 'the held-out accuracy counts the pairs that are not right',
        wrong: evaluating('eval_accuracy', (accuracy) => 1 - accuracy),
      },
      {
        id: 'reward-trainer-margin-doubled',
        defect: 'class 55',
        what: 'the held-out margin is twice what it is',
        wrong: evaluating('eval_margin', (margin) => 2 * margin + 1),
      },
    ],
  }),
  mutantsOf<CreateTrainer>({
    subject: 'trainer reward (process)',
    right: (options) => rewardTrainer(rewardOptions.parse({ ...options, supervision: 'process' })),
    suite: (create, name) =>
      lawsOfTrainer({ name, create, claims: { optimum: 'steps' }, objectives: () => processObjective }),
    mutations: [
      {
        id: 'process-labels-swapped',
        defect: 'class 37',
        what: 'right steps are taught to be wrong',
        wrong: labels((label) => 1 - label),
      },
      {
        id: 'process-label-of-answer',
        defect: 'class 5',
        what: 'only the last step of an answer is read',
        wrong: labels((label, at, last) => (at === last ? label : -100)),
      },
      {
        id: 'process-reads-early',
        defect: 'class 2',
        what: 'a step is read one token before its end, where there is one',
        wrong: labels((_, at, last, all) => all[Math.min(last, at + 1)]),
      },
    ],
  }),
]

/** Rows whose labels are changed, token by token. */
function labels(
  change: (label: number, at: number, last: number, all: Int32Array) => number,
): TrainerMutation['wrong'] {
  return reading((examples) =>
    examples.map((example) => ({
      ...example,
      ...(example.labels && {
        labels: example.labels.map((own) => own.map((label, at) => change(label, at, own.length - 1, own))),
      }),
    })),
  )
}
