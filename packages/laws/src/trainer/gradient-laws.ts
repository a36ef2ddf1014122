import type { Policy } from '@collimate/core'
import { firstMomentName } from '@collimate/models'
import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { contextsOf } from '../world/contexts.js'
import { preferenceWorlds } from '../world/datasets.js'
import { distributionOf } from '../world/distribution-of.js'
import { countsOf, givingEveryGroup, promptsOfEveryGroup, proportional } from '../world/every-group.js'
import { penalisedRewards, type Distribution } from '../world/exact.js'
import { tableName } from '../world/tabular-programs.js'
import { tabularPolicy } from '../world/tabular-policy.js'
import { showWorld, vocabularySize, type Table, type World } from '../world/world.js'
import { contextOf } from './drive.js'
import type { Subject } from './subject.js'

const temperatures = fc.constantFrom(1, 0.5, 2)

/** Laws of one step of a trainer of reward, on samples of the policy that it changes; none of trainers of something else. */
export function gradientLaws(subject: Subject): Law[] {
  const { optimum = 'reward' } = subject.claims ?? {}
  if (optimum !== 'reward') return []
  const groupSize = 2
  const cases = preferenceWorlds({ most: 4 }).chain(({ world }) =>
    fc.record({ world: fc.constant(world), counts: countsOf(world, 5), temperature: temperatures }),
  )
  return [
    law({
      name: 'reinforce/expected-step',
      statement:
        'On every group of samples, each as often as it is likely, the gradient of a step is that of reward less KL penalty: exactly, for a policy away from its reference, at any temperature, in the first step and in the second.',
      formula: '∇L = −c ∇J(π_T),  J = E_π r − β KL(π_T ‖ π_ref,T),  c the claim',
      source:
        'Williams, Machine Learning 8 (1992); Ahmadian et al., arXiv 2402.14740; TRL issue 4967, NeMo-RL issue 935',
      cost: 6,
      capability: 'policyGradient',
      arbitrary: cases,
      show: ({ world, counts, temperature }) =>
        `π in proportion to ${JSON.stringify(counts)} at temperature ${temperature}; ${showWorld(world)}`,
      async holds({ world, counts, temperature }) {
        const samples = { counts, groupSize }
        const target = proportional(counts)
        const policy = subject.start(world, await beforeTemperature(world, target, temperature))
        const from = subject.start(world)
        const reference = await from.reference()
        try {
          const train = promptsOfEveryGroup(world, samples)
          const trainer = subject.create(
            subject.options(world, {
              ...{ batchSize: train.length, steps: 2, learningRate: 0, numGenerations: groupSize, temperature },
              // Without a first moment the snapshot holds the gradient itself.
              ...{ beta1: 0, maxGradNorm: 0 },
            }),
          )
          const { context } = contextOf(trainer, {
            ...{ policy: givingEveryGroup(policy, world, samples), reference, train, totalSteps: 2, seed: 1 },
            ...{ cacheFolder: await subject.cacheFolder(), ...subject.surroundings(trainer, world) },
          })
          const tempered = { ...world, reference: await distributionOf(reference, world, temperature) }
          const expected = objectiveGradient(tempered, target, temperature)
          const claim = subject.claims?.policyGradient
          const scale = typeof claim === 'number' ? claim : 1
          const steps = trainer.steps(context)
          for (let step = 1; step <= 2; step++) {
            await steps.next()
            const found = await gradientOf(policy)
            expected.forEach((value, slot) =>
              near(found[slot], -scale * value, 1e-9, `the gradient of step ${step} by logit ${slot}`),
            )
          }
          await steps.return()
        } finally {
          await Promise.all([reference.close(), from.close(), policy.close()])
        }
      },
    }),
    law({
      name: 'reinforce/fresh-samples',
      statement:
        'On fresh samples the log-probs that an update computes again are those of sampling, at any temperature, so that no ratio is clipped.',
      formula: 'log π_T(y) at the update = log π_T(y) at sampling;  clip_ratio = 0',
      source:
        'TRL issue 3029, open-instruct issue 1678, prime-rl issue 679: temperature missing in the update; TRL issue 744',
      cost: 6,
      capability: 'optimum',
      arbitrary: fc.record({ preferences: preferenceWorlds({ most: 4 }), temperature: temperatures }),
      show: ({ preferences: { world }, temperature }) => `temperature ${temperature}; ${showWorld(world)}`,
      async holds({ preferences, temperature }) {
        const { world } = preferences
        const trainer = subject.create(subject.options(world, { steps: 2, temperature }))
        const policy = subject.start(world)
        const reference = await policy.reference()
        // Where a step makes several updates, only the first is on fresh samples.
        let fresh = true
        const watched: Policy = {
          ...policy,
          async update(request) {
            if (fresh)
              for (const batch of request.batches) {
                const { oldLogProbs } = batch.inputs
                if (!oldLogProbs) continue
                const logProbs = await policy.logProbs({ batch, temperature: request.temperature ?? 1 })
                batch.tokenMask.forEach((bit, t) => {
                  if (bit !== 0) near(logProbs[t], oldLogProbs[t], 1e-6, `the log-prob of scored token ${t}`)
                })
              }
            fresh = false
            return policy.update(request)
          },
        }
        try {
          const { context } = contextOf(trainer, {
            ...{ policy: watched, reference, train: subject.rows(trainer, preferences), totalSteps: 2, seed: 3 },
            ...{ cacheFolder: await subject.cacheFolder(), ...subject.surroundings(trainer, world) },
          })
          const steps = trainer.steps(context)
          let updates = 0
          for (let next = await steps.next(); !next.done; next = await steps.next()) {
            fresh = true
            const made = (await policy.snapshot()).optimizerSteps - updates
            updates += made
            for (const [name, value] of Object.entries(next.value.metrics))
              if (made === 1 && name.startsWith('clip_ratio/')) near(value, 0, 0, name)
          }
        } finally {
          await Promise.all([reference.close(), policy.close()])
        }
      },
    }),
  ]
}

/** The distribution that is `target` once its logits are divided by the temperature. */
async function beforeTemperature(world: World, target: Distribution, temperature: number): Promise<Table> {
  const policy = tabularPolicy(world, { start: target })
  try {
    return await distributionOf(policy, world, 1 / temperature)
  } finally {
    await policy.close()
  }
}

/** The gradient of the last update, [contexts · tokens]: the first moment of Adam with β₁ = 0. */
async function gradientOf(policy: Policy): Promise<ArrayLike<number>> {
  const { tensors } = await policy.snapshot()
  const moment = tensors[firstMomentName(tableName)]
  require(moment !== undefined, 'the trainer has made no update')
  return moment.data
}

/** ∇J by the logits before the temperature, [contexts · tokens]: (1/T) E_y (r − β log π/π_ref) ∇ log π(y), mean over prompts. */
function objectiveGradient(world: World, policy: Distribution, temperature: number): Float64Array {
  const contexts = contextsOf(world)
  const tokens = vocabularySize(world)
  const masses = new Float64Array(contexts.count * tokens)
  const path = (x: number, y: number): { context: number; token: number }[] => {
    let context = contexts.of(world.prompts[x])
    return world.completions[y].map((token) => {
      const here = { context, token }
      context = contexts.next(context, token)
      return here
    })
  }
  const each = (visit: (probability: number, steps: ReturnType<typeof path>, x: number, y: number) => void): void =>
    policy.forEach((row, x) => row.forEach((logProb, y) => visit(Math.exp(logProb), path(x, y), x, y)))
  each((probability, steps) => {
    for (const { context, token } of steps) masses[context * tokens + token] += probability
  })
  const rewards = penalisedRewards(world, policy)
  const gradient = new Float64Array(masses.length)
  each((probability, steps, x, y) => {
    const weight = (probability * rewards[x][y]) / (temperature * world.prompts.length)
    for (const { context, token } of steps) {
      const from = context * tokens
      const total = masses.slice(from, from + tokens).reduce((sum, mass) => sum + mass, 0)
      for (let other = 0; other < tokens; other++)
        gradient[from + other] += weight * ((other === token ? 1 : 0) - masses[from + other] / total)
    }
  })
  return gradient
}
