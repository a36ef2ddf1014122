import type { Policy, UpdateReport, UpdateRequest } from '@collimate/core'
import type { Mutation } from './mutant.js'
import { pairsSlipped, withBatches } from './batches.js'
import { changed, type CreatePolicy } from './policies-layout.js'

const updating = (change: (policy: Policy, request: UpdateRequest) => Promise<UpdateReport>) =>
  changed((policy) => ({ update: (request) => change(policy, request) }))

/** Steps, references, snapshots. */
export const updates: readonly Mutation<CreatePolicy>[] = [
  {
    id: 'policy-mean-of-micro-batch-means',
    defect: 'class 27',
    what: 'the loss is the mean of the losses of the micro-batches, whatever their sizes',
    wrong: changed((policy) => {
      const averaged = <Report extends UpdateReport>(report: Report): Report => {
        const losses = report.microBatches.map(({ loss }) => loss)
        return { ...report, loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length }
      }
      return {
        update: async (request) => averaged(await policy.update(request)),
        evaluate: async (request) => averaged(await policy.evaluate(request)),
      }
    }),
  },
  {
    id: 'policy-step-per-micro-batch',
    defect: 'class 28',
    what: 'every micro-batch is an optimiser step of its own',
    wrong: updating(async (policy, request) => {
      let last: UpdateReport | undefined
      for (const batch of request.batches) last = await policy.update({ ...request, batches: [batch] })
      return last ?? policy.update(request)
    }),
  },
  {
    id: 'policy-last-micro-batch-alone',
    defect: 'class 28',
    what: 'gradients of earlier micro-batches are overwritten by the last',
    wrong: updating(async (policy, request) => {
      const { loss, metrics, microBatches, tokens } = await policy.evaluate(request)
      const report = await policy.update({ ...request, batches: request.batches.slice(-1) })
      return { ...report, loss, metrics, microBatches, tokens }
    }),
  },
  {
    id: 'policy-short-window-scaled',
    defect: 'L24',
    what: 'the step is divided by the usual number of micro-batches, also in a shorter last window',
    wrong: changed((policy) => {
      let usual = 1
      return {
        update: (request) => {
          usual = Math.max(usual, request.batches.length)
          return policy.update({ ...request, learningRate: (request.learningRate * request.batches.length) / usual })
        },
      }
    }),
  },
  {
    id: 'policy-skips-what-is-not-finite',
    defect: 'L24',
    what: 'an update whose loss is not finite is skipped without a word',
    wrong: updating((policy, request) =>
      policy.update(request).catch(async (error: { code?: string }) => {
        if (error.code !== 'COLLIMATE_NOT_FINITE') throw error
        const { version } = await policy.describe()
        return { loss: NaN, metrics: {}, microBatches: [], gradNorm: NaN, tokens: 0, version }
      }),
    ),
  },
  {
    id: 'policy-no-op',
    defect: 'class 45',
    what: 'an update reports its loss and changes nothing',
    wrong: updating((policy, request) => policy.update({ ...request, learningRate: 0 })),
  },
  {
    id: 'policy-climbs',
    defect: 'class 31',
    what: 'the step goes up the gradient',
    wrong: updating(async (policy, request) => {
      const before = await policy.snapshot()
      const report = await policy.update(request)
      const after = await policy.snapshot()
      const tensors = Object.entries(after.tensors).map(([name, tensor]) => {
        const from = before.tensors[name]
        if (name.startsWith('adam.') || !from) return [name, tensor] as const
        return [name, { ...tensor, data: tensor.data.map((value, at) => 2 * from.data[at] - value) }] as const
      })
      await policy.restore({ snapshot: { ...after, tensors: Object.fromEntries(tensors) } })
      return report
    }),
  },
  {
    id: 'policy-ignores-weight-decay',
    defect: 'class 30',
    what: 'weight decay is accepted and does nothing',
    wrong: updating((policy, request) =>
      policy.update({ ...request, optimizer: { ...request.optimizer, weightDecay: 0 } }),
    ),
  },
  {
    id: 'policy-ignores-clipping',
    defect: 'class 30',
    what: 'maxGradNorm is accepted and nothing is clipped',
    wrong: updating((policy, request) => policy.update({ ...request, maxGradNorm: 0 })),
  },
  {
    id: 'policy-norm-after-clipping',
    defect: 'class 55',
    what: 'the gradient norm that is reported is the one after clipping',
    wrong: updating(async (policy, request) => {
      const report = await policy.update(request)
      const { maxGradNorm } = request
      return { ...report, gradNorm: maxGradNorm > 0 ? Math.min(report.gradNorm, maxGradNorm) : report.gradNorm }
    }),
  },
  {
    id: 'policy-metrics-of-last-micro-batch',
    defect: 'class 55',
    what: 'the metrics of an update are those of its last micro-batch',
    wrong: changed((policy) => {
      const last = <Report extends UpdateReport>(report: Report): Report => ({
        ...report,
        metrics: report.microBatches.at(-1)?.metrics ?? report.metrics,
      })
      return {
        update: async (request) => last(await policy.update(request)),
        evaluate: async (request) => last(await policy.evaluate(request)),
      }
    }),
  },
  {
    id: 'policy-evaluation-trains',
    defect: 'class 55',
    what: 'measuring takes a step',
    wrong: changed((policy) => ({
      evaluate: (request) =>
        policy.update({
          ...request,
          optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
          ...{ learningRate: 0.01, maxGradNorm: 0 },
        }),
    })),
  },
  {
    id: 'policy-pairs-slip',
    defect: 'class 25',
    what: 'the pairing slips by one answer',
    wrong: (right) => async (objectives) => withBatches(await right(objectives), pairsSlipped),
  },
  {
    id: 'policy-reference-follows',
    defect: 'class 42',
    what: 'the reference moves with the policy',
    wrong: changed((policy) => ({
      reference: async () => {
        const frozen = await policy.reference()
        const { describe, outputs, evaluate, logProbs, generate } = policy
        return { describe, outputs, evaluate, logProbs, generate, close: frozen.close }
      },
    })),
  },
  {
    id: 'policy-reference-is-base',
    defect: 'class 42',
    what: 'the reference is the model that the policy was created from, not the policy as it is',
    wrong: (right) => async (objectives) => {
      const [policy, base] = [await right(objectives), await right(objectives)]
      const close = async (): Promise<void> => {
        await policy.close()
        await base.close()
      }
      return { ...policy, reference: base.reference, close }
    },
  },
  {
    id: 'policy-hash-of-nothing',
    defect: 'class 43',
    what: 'the hash of the weights does not change with them, so that cached log-probs outlive them',
    wrong: changed((policy) => ({
      describe: async () => ({ ...(await policy.describe()), weightsHash: 'weights' }),
    })),
  },
  {
    id: 'policy-hash-of-version',
    defect: 'class 43',
    what: 'equal weights have different hashes',
    wrong: changed((policy) => ({
      describe: async () => {
        const description = await policy.describe()
        return { ...description, weightsHash: `${description.weightsHash}${description.version}` }
      },
    })),
  },
  {
    id: 'policy-version-stands-still',
    defect: 'class 51',
    what: 'the version does not count updates',
    wrong: changed((policy) => ({
      describe: async () => ({ ...(await policy.describe()), version: 0 }),
    })),
  },
  {
    id: 'policy-snapshot-without-moments',
    defect: 'class 54',
    what: 'a snapshot leaves out the moments of the optimiser',
    wrong: changed((policy) => ({
      snapshot: async () => {
        const snapshot = await policy.snapshot()
        const tensors = Object.entries(snapshot.tensors).map(([name, tensor]) =>
          name.startsWith('adam.')
            ? ([name, { ...tensor, data: tensor.data.map(() => 0) }] as const)
            : ([name, tensor] as const),
        )
        return { ...snapshot, tensors: Object.fromEntries(tensors) }
      },
    })),
  },
  {
    id: 'policy-snapshot-without-steps',
    defect: 'class 54',
    what: 'after restoring, the optimiser counts its steps from 0',
    wrong: changed((policy) => ({
      restore: ({ snapshot }) => policy.restore({ snapshot: { ...snapshot, optimizerSteps: 0 } }),
    })),
  },
  {
    id: 'policy-restores-nothing',
    defect: 'class 54',
    what: 'restore does nothing',
    wrong: changed(() => ({ restore: async () => undefined })),
  },
  {
    id: 'policy-snapshot-follows',
    defect: 'class 54',
    what: 'a snapshot shares its arrays with later ones',
    wrong: changed((policy) => {
      const views = new Map<string, Awaited<ReturnType<Policy['snapshot']>>['tensors'][string]>()
      return {
        snapshot: async () => {
          const snapshot = await policy.snapshot()
          const tensors = Object.entries(snapshot.tensors).map(([name, tensor]) => {
            const view = views.get(name) ?? tensor
            view.data.set(tensor.data)
            views.set(name, view)
            return [name, view] as const
          })
          return { ...snapshot, tensors: Object.fromEntries(tensors) }
        },
      }
    }),
  },
]
