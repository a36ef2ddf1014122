import type {
  Example,
  ForestBatch,
  Policy,
  Reference,
  StepReport,
  TrainerContext,
  UpdateRequest,
} from '@collimate/core'
import type { TrainerSubject } from '@collimate/laws'
import { paddingScored, pairsSlipped, segmentsMerged, sourcesLate, withBatches } from './batches.js'
import type { Mutation } from './mutant.js'

export type CreateTrainer = TrainerSubject['create']
type TrainerMutation = Mutation<CreateTrainer>

/** A trainer in a changed world: how its own mistakes are planted without copying it. */
export const within =
  (change: (context: TrainerContext) => TrainerContext): TrainerMutation['wrong'] =>
  (right) =>
  (options) => {
    const trainer = right(options)
    const { evaluate } = trainer
    return {
      ...trainer,
      steps: (context) => trainer.steps(change(context)),
      ...(evaluate && { evaluate: (context: TrainerContext) => evaluate.call(trainer, change(context)) }),
    }
  }

export const withPolicy = (change: (policy: Policy) => Policy) =>
  within((context) => ({ ...context, policy: change(context.policy) }))

const seeing = (change: (batch: ForestBatch) => ForestBatch) => withPolicy((policy) => withBatches(policy, change))

const updating = (change: (request: UpdateRequest) => UpdateRequest) =>
  withPolicy((policy) => ({ ...policy, update: (request) => policy.update(change(request)) }))

export const reading = (change: (examples: readonly Example[]) => readonly Example[]) =>
  within((context) => ({
    ...context,
    data: {
      ...context.data,
      next: async (count) => change(await context.data.next(count)),
      read: async (split, indices) => change(await context.data.read(split, indices)),
    },
  }))

const reporting =
  (change: (report: StepReport) => StepReport): TrainerMutation['wrong'] =>
  (right) =>
  (options) => {
    const trainer = right(options)
    return {
      ...trainer,
      async *steps(context) {
        for await (const report of trainer.steps(context)) yield change(report)
      },
    }
  }

export const metric = (name: string, change: (value: number, report: StepReport) => number) =>
  reporting((report) =>
    name in report.metrics
      ? { ...report, metrics: { ...report.metrics, [name]: change(report.metrics[name], report) } }
      : report,
  )

const withReference = (change: (reference: Reference, context: TrainerContext) => Reference) =>
  within((context) => ({
    ...context,
    ...(context.reference && { reference: change(context.reference, context) }),
  }))

/** What can go wrong in any trainer. */
export const ofAnyTrainer: readonly TrainerMutation[] = [
  {
    id: 'trainer-does-nothing',
    defect: 'class 45',
    what: 'it measures, reports, and never steps',
    wrong: updating((request) => ({ ...request, learningRate: 0 })),
  },
  {
    id: 'trainer-constant-rate',
    defect: 'class 30',
    what: 'the schedule of the learning rate is not followed',
    wrong: (right) => (options) => {
      let first: number | undefined
      return updating((request) => ({ ...request, learningRate: (first ??= request.learningRate) }))(right)(options)
    },
  },
  {
    id: 'trainer-without-clipping',
    defect: 'class 30',
    what: 'maxGradNorm is read and used nowhere',
    wrong: updating((request) => ({ ...request, maxGradNorm: 0 })),
  },
  {
    id: 'trainer-without-weight-decay',
    defect: 'L4',
    what: 'weightDecay is read and used nowhere',
    wrong: updating((request) => ({ ...request, optimizer: { ...request.optimizer, weightDecay: 0 } })),
  },
  {
    id: 'trainer-step-per-micro-batch',
    defect: 'class 28',
    what: 'every micro-batch is a step of its own',
    wrong: withPolicy((policy) => ({
      ...policy,
      update: async (request) => {
        const reports = []
        for (const batch of request.batches) reports.push(await policy.update({ ...request, batches: [batch] }))
        return reports[reports.length - 1]
      },
    })),
  },
  {
    id: 'trainer-loses-micro-batches',
    defect: 'class 28',
    what: 'only the first micro-batch of a step is trained on',
    wrong: updating((request) => ({ ...request, batches: request.batches.slice(0, 1) })),
  },
  {
    id: 'trainer-loses-last-example',
    defect: 'class 25',
    what: 'the last example of an odd batch is left out',
    wrong: reading((examples) => (examples.length > 1 && examples.length % 2 === 1 ? examples.slice(0, -1) : examples)),
  },
  {
    id: 'trainer-scores-late',
    defect: 'class 2',
    what: 'the log-probs that it trains on are those of the next position',
    wrong: seeing(sourcesLate),
  },
  {
    id: 'trainer-scores-padding',
    defect: 'class 4',
    what: 'the padding behind the scored tokens is trained on',
    wrong: seeing(paddingScored),
  },
  {
    id: 'trainer-packs-without-borders',
    defect: 'class 41',
    what: 'what shares a row sees each other',
    wrong: seeing(segmentsMerged),
  },
  {
    id: 'trainer-starts-again',
    defect: 'class 54',
    what: 'after a resume the steps and the schedule begin again',
    wrong: within((context) => ({ ...context, startStep: 0, totalSteps: context.totalSteps - context.startStep })),
  },
  {
    id: 'trainer-forgets-its-state',
    defect: 'class 54',
    what: 'what it remembers between steps is not brought back',
    wrong: (right) => (options) => ({ ...right(options), restore: () => undefined }),
  },
  {
    id: 'trainer-replays-data',
    defect: 'class 54',
    what: 'after a resume it reads the examples from the first on again',
    wrong: within((context) => {
      let place = 0
      return {
        ...context,
        data: {
          ...context.data,
          next: async (count) => {
            await context.data.next(count)
            const indices = Array.from({ length: count }, () => place++ % context.data.trainLength)
            return context.data.read('train', indices)
          },
        },
      }
    }),
  },
  {
    id: 'trainer-counts-from-0',
    defect: 'class 55',
    what: 'the first step is reported as step 0',
    wrong: reporting((report) => ({ ...report, step: report.step - 1 })),
  },
  {
    id: 'trainer-loss-of-last-micro-batch',
    defect: 'class 55',
    what: 'the logged loss is that of the last micro-batch',
    wrong: withPolicy((policy) => ({
      ...policy,
      update: async (request) => {
        const report = await policy.update(request)
        return { ...report, loss: report.microBatches.at(-1)?.loss ?? report.loss }
      },
    })),
  },
  {
    id: 'trainer-norm-of-0',
    defect: 'class 55',
    what: 'the logged gradient norm is always 0',
    wrong: metric('grad_norm', () => 0),
  },
  {
    id: 'trainer-logs-another-rate',
    defect: 'class 55',
    what: 'the logged learning rate is not the one that was used',
    wrong: metric('learning_rate', (rate) => rate * 2 + 1e-9),
  },
]

/** What can go wrong in a trainer of pairs against a reference. */
export const ofPairTrainers: readonly TrainerMutation[] = [
  {
    id: 'trainer-pairs-swapped',
    defect: 'class 37',
    what: 'it trains towards the rejected answers',
    wrong: reading((examples) =>
      examples.map((example) => ({ ...example, completions: [...example.completions].reverse() })),
    ),
  },
  {
    id: 'trainer-pairs-slip',
    defect: 'class 25',
    what: 'pairs are split: a chosen answer meets the rejected one of another prompt',
    wrong: seeing(pairsSlipped),
  },
  {
    id: 'trainer-reference-is-policy',
    defect: 'class 42',
    what: 'the reference is the policy that is being trained',
    wrong: withReference((_, { policy }) => policy),
  },
  {
    id: 'trainer-reference-is-base',
    defect: 'class 42',
    what: 'the reference is another model than the policy was before training',
    wrong: withReference((reference) => ({
      ...reference,
      logProbs: async (request) =>
        (await reference.logProbs(request)).map((value, t) => value * (1 + ((request.batch.targets[t] * 7) % 5) / 10)),
    })),
  },
  {
    id: 'trainer-reference-late',
    defect: 'class 43',
    what: 'the log-probs of the reference are those of the next position',
    wrong: withReference((reference) => ({
      ...reference,
      logProbs: ({ batch, ...rest }) => reference.logProbs({ ...rest, batch: sourcesLate(batch) }),
    })),
  },
  {
    id: 'trainer-cache-without-weights',
    defect: 'class 43',
    what: 'cached log-probs of the reference are found again whatever its weights are',
    wrong: withReference((reference) => ({
      ...reference,
      describe: async () => ({ ...(await reference.describe()), weightsHash: '0' }),
    })),
  },
]
