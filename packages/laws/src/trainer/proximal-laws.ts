import type { ForestBatch, UpdateRequest } from '@collimate/core'
import { firstMomentName } from '@collimate/models'
import fc from 'fast-check'
import { law, near, require, Violation, type Law } from '../law.js'
import { lawObjectives, weightedLikelihood } from '../policy/objectives.js'
import { preferenceWorlds, promptExamples } from '../world/datasets.js'
import { expectations } from '../world/exact.js'
import { contextsOf } from '../world/contexts.js'
import { tableName } from '../world/tabular-programs.js'
import { tabularPolicy } from '../world/tabular-policy.js'
import { showWorld, vocabularySize } from '../world/world.js'
import { contextOf, drive } from './drive.js'
import { proximalRun, type ProximalStep, type Update } from './proximal-run.js'
import type { LawTrainerOptions, ProximalOptions, Subject } from './subject.js'

const paper = 'Schulman et al., arXiv 1707.06347'
const capability = 'proximal'

const cases = fc.record({
  world: preferenceWorlds({ most: 4 }).map(({ world }) => world),
  temperature: fc.constantFrom(1, 0.5),
  numGenerations: fc.integer({ min: 1, max: 2 }),
})
type Case = typeof cases extends fc.Arbitrary<infer Value> ? Value : never

const show = ({ world, temperature, numGenerations }: Case): string =>
  `${numGenerations} completions a prompt at temperature ${temperature}; ${showWorld(world)}`

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0)
const mean = (values: ArrayLike<number>): number => sum(values) / values.length

/** Laws of trainers that learn with a critic, in several passes of clipped updates over what they sampled. */
export function proximalLaws(subject: Subject): Law[] {
  const { optimum = 'reward' } = subject.claims ?? {}
  if (optimum !== 'reward') return []
  const run = (
    { world, temperature, numGenerations }: Case,
    given: Partial<LawTrainerOptions & ProximalOptions> = {},
    steps = 3,
  ) => proximalRun(subject, world, { temperature, numGenerations, ...given }, steps)

  return [
    law({
      name: 'ppo/rewards-of-tokens',
      statement:
        'Each token has the reward −β log π/π_ref, the last one the score besides, also where it was cut: a completion adds up to its score less β times its KL. β follows its controller, and where a cut is bootstrapped, the value there stands for the score.',
      formula:
        'r_t = [t = T] score − β (log π − log π_ref);  β ← β (1 + clip(KL/target − 1, ±0.2) n/horizon);  cut and bootstrapped: score 0, V_{T+1} = V(s_T)',
      source:
        'Ziegler et al., arXiv 1909.08593, section 2.2; TRL issues 3750 and 5338: the score at a padding token; slime issue 1247; trlx issue 361; TRL issue 1536',
      cost: 8,
      capability,
      arbitrary: fc.record({
        drawn: cases,
        bootstrapTruncated: fc.boolean(),
        klTarget: fc.constantFrom(undefined, 0.01, 2),
      }),
      show: ({ drawn, bootstrapTruncated, klTarget }) =>
        `klTarget ${klTarget ?? 'none'}, ${bootstrapTruncated ? 'bootstrapped' : 'ended'} where cut; ${show(drawn)}`,
      async holds({ drawn, bootstrapTruncated, klTarget }) {
        const klHorizon = 10
        let { beta } = drawn.world
        const options = { ...(klTarget !== undefined && { klTarget, klHorizon }), bootstrapTruncated }
        for (const [at, step] of (await run(drawn, options)).entries()) {
          const { rollouts, request, refLogProbs, scores, values } = step
          requireSlots(step)
          rollouts.forEach(({ completion, logProbs, endedBy }, row) => {
            const last = completion.ids.length - 1
            const open = bootstrapTruncated && endedBy === 'length'
            completion.ids.forEach((_, t) => {
              const kl = logProbs[t] - refLogProbs[row][t]
              const score = t === last && !open ? scores[row] : 0
              const found = request.rewards[row * request.width + t]
              near(found, score - beta * kl, 1e-6, `the reward of token ${t} of rollout ${row} in step ${at + 1}`)
            })
            const after = request.finalValues?.[row] ?? 0
            near(after, open ? values[row][last + 1] : 0, 1e-9, `the value behind rollout ${row} in step ${at + 1}`)
          })
          if (klTarget === undefined) continue
          const kl = mean(rollouts.map(({ logProbs }, row) => sum(logProbs) - sum(refLogProbs[row])))
          const error = Math.min(0.2, Math.max(-0.2, kl / klTarget - 1))
          beta *= 1 + (error * rollouts.length) / klHorizon
        }
      },
    }),
    law({
      name: 'ppo/values-of-states',
      statement:
        'The value of a token is the critic’s, before the step, of the state before that token: it has not seen the token.',
      formula: 'V_t = V(x, y_1 … y_{t−1})',
      source: `${paper}; DeepSpeedExamples issue 672, gpt-neox issue 1285: off by one`,
      cost: 8,
      capability,
      arbitrary: cases,
      show,
      async holds(drawn) {
        const rates = {
          learningRate: 0.05,
          ...(subject.claims?.separateCritic === true && { criticLearningRate: 0.2 }),
        }
        for (const [at, { rollouts, request, values }] of (await run(drawn, rates)).entries())
          rollouts.forEach(({ completion }, row) =>
            completion.ids.forEach((_, t) =>
              near(
                request.values?.[row * request.width + t] ?? NaN,
                values[row][t],
                1e-9,
                `the value of token ${t} of rollout ${row} in step ${at + 1}`,
              ),
            ),
          )
      },
    }),
    law({
      name: 'ppo/one-experience',
      statement:
        'Every pass learns from every token once, with the log-probs and values of when it was sampled and the advantages and returns that the estimator gave: nothing of it moves while the policy does.',
      formula: 'inputs of pass e = (log π_old, V_old, A, R) of all tokens, for every e',
      source: `${paper}, algorithm 1; mlx-lm-lora ppo_trainer.py and grpo_trainer.py: a ratio to the reference`,
      cost: 8,
      capability,
      arbitrary: fc.record({
        drawn: cases,
        numPpoEpochs: fc.integer({ min: 1, max: 3 }),
        numMiniBatches: fc.integer({ min: 1, max: 3 }),
      }),
      show: ({ drawn, numPpoEpochs, numMiniBatches }) =>
        `${numPpoEpochs} passes of ${numMiniBatches} updates; ${show(drawn)}`,
      async holds({ drawn, numPpoEpochs, numMiniBatches }) {
        const steps = await run(drawn, { numPpoEpochs, numMiniBatches, learningRate: 0.3 })
        for (const [at, step] of steps.entries()) {
          const { request, reply, told, policyUpdates, criticUpdates } = step
          require(told.request.rewards === request.rewards &&
            told.reply.advantages === reply.advantages, 'the bus is told of another estimate than was made')
          const columns = {
            ...{ oldLogProbs: request.logProbs, advantages: reply.advantages },
            ...{ oldValues: request.values ?? reply.returns, returns: reply.returns },
          }
          const separate = criticUpdates.length > 0
          requirePasses(step, policyUpdates, numPpoEpochs, at + 1, {
            ...{ oldLogProbs: columns.oldLogProbs, advantages: columns.advantages },
            ...(!separate && { oldValues: columns.oldValues, returns: columns.returns }),
          })
          const { oldValues, returns } = columns
          if (separate) requirePasses(step, criticUpdates, numPpoEpochs, at + 1, { oldValues, returns })
        }
      },
    }),
    law({
      name: 'ppo/first-update',
      statement:
        'On fresh samples every ratio is 1, nothing is clipped, and the gradient of the policy is that of REINFORCE with the same advantages.',
      formula: 'ρ = 1, clipfrac = 0, ∇L = −mean_t A_t ∇ log π(y_t)',
      source: `${paper}, section 3; torchrl issue 1033, TRL issues 744 and 3029`,
      cost: 8,
      capability,
      arbitrary: cases,
      show,
      async holds(drawn) {
        const { world, temperature } = drawn
        // One step of one update: Adam's first moment is then (1 − β₁) times its gradient.
        const given = { numPpoEpochs: 1, numMiniBatches: 1, maxGradNorm: 0, beta1: 0.5 }
        const [{ policyUpdates, before, after, metrics }] = await run(drawn, given, 1)
        const [{ request }] = policyUpdates
        const tokens = vocabularySize(world)
        const width = before.tensors[tableName].shape[1]
        const head = width > tokens ? 'language+score' : 'language'
        const judge = tabularPolicy(world, { objective: lawObjectives, head })
        try {
          await judge.update({
            ...{ objective: weightedLikelihood, optimizer: request.optimizer, learningRate: 0, maxGradNorm: 0 },
            ...{ metrics: false, temperature },
            batches: request.batches.map((batch) => ({ ...batch, inputs: { weights: batch.inputs.advantages } })),
          })
          const expected = (await judge.snapshot()).tensors[firstMomentName(tableName)].data
          const found = after.tensors[firstMomentName(tableName)].data
          // The last number of a row with a value head is the value, whose gradient is the critic's.
          expected.forEach((value, slot) => {
            if (slot % width < tokens) near(found[slot], value, 1e-6, `the gradient by logit ${slot}`)
          })
        } finally {
          await judge.close()
        }
        near(metrics['val/ratio'] ?? 1, 1, 1e-6, 'the mean ratio')
        near(metrics['val/ratio_var'] ?? 0, 0, 1e-9, 'the variance of the ratios')
        for (const name of ['policy/clipfrac_avg', 'policy/approxkl_avg']) near(metrics[name] ?? 0, 0, 1e-9, name)
      },
    }),
    law({
      name: 'ppo/log',
      statement:
        'What is logged of a step can be computed again from what it sampled and what its updates reported: KL, entropy, scores and penalty of whole completions, how much of the returns the critic foresaw, and means over the tokens of all updates. Padding is no token.',
      formula:
        'objective/kl = mean Σ_t log π/π_ref, objective/entropy = mean Σ_t −log π, rlhf_reward = scores − β KL, explained variance = 1 − Var(R − V)/Var(R)',
      source:
        'law W17; TRL’s PPO loses 1 nat of entropy per padding token, and documents rlhf_reward with another sign',
      cost: 8,
      capability,
      arbitrary: cases,
      show,
      async holds(drawn) {
        for (const step of await run(drawn)) {
          const { rollouts, refLogProbs, scores, request, reply, metrics, policyUpdates, criticUpdates } = step
          const kl = mean(rollouts.map(({ logProbs }, row) => sum(logProbs) - sum(refLogProbs[row])))
          const real = (of: (slot: number) => number) =>
            Array.from(request.mask.keys()).flatMap((slot) => (request.mask[slot] === 0 ? [] : [of(slot)]))
          const spread = variance(real((slot) => reply.returns[slot]))
          const left = variance(real((slot) => reply.returns[slot] - (request.values?.[slot] ?? 0)))
          const { beta } = drawn.world
          const expected: Record<string, number> = {
            'objective/kl': kl,
            'objective/entropy': mean(rollouts.map(({ logProbs }) => -sum(logProbs))),
            'objective/scores': mean(scores),
            'objective/non_score_reward': -beta * kl,
            'objective/rlhf_reward': mean(scores) - beta * kl,
            'val/num_eos_tokens': rollouts.filter(({ endedBy }) => endedBy === 'stop').length,
            ...(spread > 1e-9 && { 'val/explained_variance': 1 - left / spread }),
            ...meansOf([...policyUpdates, ...criticUpdates]),
            grad_norm: mean(policyUpdates.map(({ report }) => report.gradNorm)),
            learning_rate: policyUpdates[0].request.learningRate,
          }
          for (const [name, value] of Object.entries(expected))
            if (name in metrics) near(metrics[name], value, 1e-5, name)
        }
      },
    }),
    criticLaw(subject),
  ]
}

/** A critic of a policy that stays has a closed form. */
function criticLaw(subject: Subject): Law {
  return law({
    name: 'ppo/critic',
    statement: 'Of a policy that stays as it is the critic comes to value a prompt at its expected reward.',
    formula: 'π = π_ref: V(x) → E_π r(x, y), to 0.1 max(1, max r − min r)',
    source: 'Sutton and Barto, Reinforcement Learning, eq. 3.12; rlhf-book issue 216: returns of padding',
    cost: 33,
    capability: 'separateCritic',
    arbitrary: preferenceWorlds({ most: 4 }).map(({ world }) => world),
    show: showWorld,
    async holds(world) {
      const train = promptExamples(world, 32)
      const options = { batchSize: 32, steps: 60, learningRate: 0, criticLearningRate: 0.1 }
      const trainer = subject.create(subject.options(world, { loggingSteps: 1000, temperature: 1, ...options }))
      const policy = subject.start(world)
      const reference = await policy.reference()
      const surroundings = subject.surroundings(trainer, world)
      const { critic } = surroundings
      if (!critic) throw new Violation('the trainer asks for no critic')
      try {
        const { context } = contextOf(trainer, {
          ...{ policy, reference, train, totalSteps: options.steps, seed: 1, ...surroundings },
          cacheFolder: await subject.cacheFolder(),
        })
        await drive(trainer, context)
        const contexts = contextsOf(world, { finished: true })
        const { data } = (await critic.snapshot()).tensors[tableName]
        const rewards = world.rewards.flat()
        const tolerance = 0.1 * Math.max(1, Math.max(...rewards) - Math.min(...rewards))
        expectations(world.reference, world.rewards).forEach((expected, x) => {
          const found = data[contexts.of(world.prompts[x])]
          if (!(Math.abs(found - expected) <= tolerance))
            throw new Violation(
              `V of prompt [${world.prompts[x].join(' ')}] is ${found}, its expected reward ${expected}`,
            )
        })
      } finally {
        await Promise.all([reference.close(), policy.close(), critic.close()])
      }
    },
  })
}

/** Every prompt of the data is answered, and the estimator is asked of the tokens of the answers and of nothing else. */
function requireSlots({ rollouts, groupSize, prompts, request }: ProximalStep): void {
  const { rows, width, mask, rewards, logProbs } = request
  const answered = prompts.flatMap((prompt) => Array.from({ length: groupSize }, () => prompt.join()))
  const found = rollouts.map(({ prompt }) => prompt.ids.join())
  require(found.join(' | ') ===
    answered.join(' | '), `the prompts [${answered.join('] [')}] are answered as [${found.join('] [')}]`)
  require(rows === rollouts.length, `the estimator is asked for ${rows} rows of ${rollouts.length} rollouts`)
  rewards.forEach((reward, slot) => {
    const { completion, logProbs: sampled } = rollouts[Math.floor(slot / width)]
    const t = slot % width
    const isReal = t < completion.ids.length
    require(mask[slot] === Number(isReal), `the mask of slot ${slot} is ${mask[slot]}`)
    if (isReal) near(logProbs[slot], sampled[t], 1e-7, `the log-prob of slot ${slot}`)
    else near(reward, 0, 0, `the reward of slot ${slot}, which is no token`)
  })
}

/** Each of the passes has every token of the rollouts once, with these numbers of the estimator's arrays. */
function requirePasses(
  { request }: ProximalStep,
  updates: readonly Update[],
  passes: number,
  step: number,
  columns: Readonly<Record<string, Float64Array>>,
): void {
  const names = Object.keys(columns)
  const rows = (count: number, of: (name: string, at: number) => number, isReal: (at: number) => boolean) =>
    Array.from({ length: count }, (_, at) => at)
      .filter(isReal)
      .map((at) => names.map((name) => of(name, at)).join(' '))
  const expected = rows(
    request.mask.length,
    (name, slot) => columns[name][slot],
    (slot) => request.mask[slot] !== 0,
  ).sort()
  const ofBatch = ({ inputs, tokenMask }: ForestBatch) => {
    const missing = names.find((name) => !(name in inputs))
    if (missing !== undefined) throw new Violation(`an update of step ${step} has no input ${missing}`)
    return rows(
      tokenMask.length,
      (name, t) => inputs[name][t],
      (t) => tokenMask[t] !== 0,
    )
  }
  const ofUpdate = ({ batches }: UpdateRequest) => batches.flatMap(ofBatch)
  require(updates.length > 0 &&
    updates.length % passes === 0, `step ${step} makes ${updates.length} updates in ${passes} passes`)
  const each = updates.length / passes
  for (let pass = 0; pass < passes; pass++) {
    const found = updates
      .slice(pass * each, (pass + 1) * each)
      .flatMap(({ request: one }) => ofUpdate(one))
      .sort()
    require(found.length ===
      expected.length, `pass ${pass + 1} of step ${step} has ${found.length} tokens, not ${expected.length}`)
    const wrong = found.findIndex((row, at) => row !== expected[at])
    if (wrong >= 0)
      throw new Violation(
        `pass ${pass + 1} of step ${step} has ${names.join(', ')} = ${found[wrong]}, not ${expected[wrong]}`,
      )
  }
}

/** The metrics of several updates as those of all of their tokens. */
function meansOf(updates: readonly Update[]): Record<string, number> {
  const all: Record<string, { sum: number; count: number }> = {}
  for (const { report } of updates)
    for (const [name, { sum: more, count }] of Object.entries(report.metrics)) {
      const before = all[name] ?? { sum: 0, count: 0 }
      all[name] = { sum: before.sum + more, count: before.count + count }
    }
  return Object.fromEntries(Object.entries(all).map(([name, of]) => [name, of.sum / of.count]))
}

function variance(values: readonly number[]): number {
  const centre = mean(values)
  return mean(values.map((value) => (value - centre) ** 2))
}
