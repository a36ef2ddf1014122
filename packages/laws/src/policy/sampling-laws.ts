import fc from 'fast-check'
import { law, near, require, Violation, type Law } from '../law.js'
import { exampleOf } from '../world/distribution-of.js'
import { batchOf, known, promptOf, real, tokens } from './cases.js'
import { generate, listOf, nextTokens, type Size } from './sampling-cases.js'
import { sameNumbers, type Subject } from './subject.js'

/** The context of each sampled token: the prompt and what was sampled before it. */
const contextsOf = (prompt: readonly number[], completion: Int32Array): number[][] =>
  Array.from(completion, (_, t) => [...prompt, ...completion.subarray(0, t)])

const settings = fc.record({
  prompts: fc.array(tokens(1, 6), { minLength: 1, maxLength: 5 }),
  tenths: fc.integer({ min: 3, max: 30 }),
  seed: fc.nat(1e6),
})
type Settings = typeof settings extends fc.Arbitrary<infer Value> ? Value : never

/** Log-probs of samples are float32 whatever the policy computes in. */
const float32 = 1e-6

/** How the policy samples. */
export function samplingLaws(subject: Subject): Law[] {
  const { tolerance } = subject
  const list = listOf(subject)
  const show = ({ prompts, tenths, seed }: Settings): string =>
    `prompts ${prompts.map(list).join(' ')}, temperature ${tenths / 10}, seed ${seed}`
  const promptsOf = (prompts: Settings['prompts'], size: Size, room: number): number[][] =>
    prompts.map((ids) => promptOf(ids, size, room))
  return [
    law({
      name: 'language-model/greedy',
      statement:
        'Greedy decoding with a cache takes the most likely token of the full forward pass, and scores it at temperature 1.',
      formula: 'y_t = argmax_v log π(v | x, y_<t)',
      source: 'cached decoding = full forward',
      cost: 6,
      capability: 'generate',
      arbitrary: fc.record({
        prompts: fc.array(tokens(1, 6), { minLength: 1, maxLength: 4 }),
        length: fc.integer({ min: 1, max: 5 }),
      }),
      show: ({ prompts, length }) => `prompts ${prompts.map(list).join(' ')}, ${length} tokens`,
      holds: ({ prompts: given, length }) =>
        subject.using(async ({ policy, about }) => {
          const prompts = promptsOf(given, about, length)
          const { completions, logProbs } = await generate(policy, prompts, {
            maxNewTokens: length,
            temperature: 0,
            seed: 0,
          })
          for (const [i, prompt] of prompts.entries()) {
            const tables = await nextTokens(policy, contextsOf(prompt, completions[i]), about)
            completions[i].forEach((token, t) => {
              const best = Math.max(...tables[t])
              if (tables[t][token] < best - 10 * tolerance)
                throw new Violation(
                  `token ${t} after [${prompt.join(' ')}] is ${token} with log π ${tables[t][token]}; ${tables[t].indexOf(best)} has ${best}`,
                )
              near(logProbs[i][t], tables[t][token], Math.max(10 * tolerance, float32), `log π of token ${t}`)
            })
          }
        }),
    }),
    law({
      name: 'language-model/sampled-log-probs',
      statement:
        'The log-probabilities that come with samples are those of the full forward pass, at any temperature, before top-k and top-p.',
      formula: 'logProbs_t = log π_τ(y_t | x, y_<t)',
      source: 'trl#3029, NeMo-RL#935, trl#6789: sampler and trainer disagree',
      cost: 5,
      capability: 'generate',
      arbitrary: fc.record({
        at: settings,
        topK: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
        topP: fc.constantFrom(undefined, 0.9, 0.5),
      }),
      show: ({ at, topK, topP }) => `${show(at)}, topK ${topK}, topP ${topP}`,
      holds: ({ at, topK, topP }) =>
        subject.using(async ({ policy, about }) => {
          const prompts = promptsOf(at.prompts, about, 4)
          const temperature = at.tenths / 10
          const sampling = { maxNewTokens: 4, temperature, seed: at.seed, ...(topK && { topK }), ...(topP && { topP }) }
          const { completions, logProbs, ...stamp } = await generate(policy, prompts, sampling)
          require(stamp.temperature === temperature, `the samples are stamped with temperature ${stamp.temperature}`)
          const batch = batchOf(prompts.map((prompt, i) => exampleOf(i, prompt, [Array.from(completions[i])])))
          const again = real(batch, await policy.logProbs({ batch, temperature }))
          const sampled = logProbs.flatMap((values) => Array.from(values))
          sameNumbers(sampled, again, Math.max(tolerance, float32), 'log π of the sampled tokens')
        }),
    }),
    law({
      name: 'language-model/streams',
      statement:
        'A sample is decided by weights, prompt, seed and stream alone, however prompts are ordered and batched.',
      formula: 'y = f(θ, x, seed, stream)',
      source: 'GenerateRequest: counter-based random numbers',
      cost: 5,
      capability: 'generate',
      arbitrary: fc.record({ at: settings, batchSize: fc.integer({ min: 1, max: 4 }) }),
      show: ({ at, batchSize }) => `${show(at)}, batches of ${batchSize}`,
      holds: ({ at, batchSize }) =>
        subject.using(async ({ policy, about }) => {
          const prompts = promptsOf(at.prompts, about, 4)
          const sampling = { maxNewTokens: 4, temperature: at.tenths / 10, seed: at.seed }
          const whole = await generate(policy, prompts, sampling)
          const order = prompts.map((_, i) => prompts.length - 1 - i)
          const turned = await generate(
            policy,
            order.map((i) => prompts[i]),
            sampling,
            { streams: order, batchSize },
          )
          const differ = order.filter((i, place) => String(whole.completions[i]) !== String(turned.completions[place]))
          // In float32 rounding may put one cumulative probability in a million on the other side of the random number.
          const allowed = tolerance > float32 ? 1 : 0
          if (differ.length > allowed) {
            const [i] = differ
            throw new Violation(
              `prompt ${i} gives [${whole.completions[i].join(' ')}] in order and [${turned.completions[order.indexOf(i)].join(' ')}] turned round in batches of ${batchSize}`,
            )
          }
        }),
    }),
    law({
      name: 'language-model/stop',
      statement: 'A completion ends with its first stop token, or at the greatest length, and says which.',
      formula: 'endedBy = stop ⇔ the last token is a stop token; no other token is',
      source: 'trl#1623, trl#2387: models that never stop',
      cost: 4,
      capability: 'generate',
      arbitrary: fc.record({
        at: settings,
        stops: fc.array(fc.nat(31), { maxLength: 4 }),
        length: fc.integer({ min: 1, max: 6 }),
      }),
      show: ({ at, stops, length }) => `${show(at)}, stop tokens ${list(stops)}, at most ${length} tokens`,
      holds: ({ at, stops, length }) =>
        subject.using(async ({ policy, about }) => {
          const prompts = promptsOf(at.prompts, about, 1)
          const stopTokens = known(stops, about)
          const { completions, endedBy, logProbs } = await generate(policy, prompts, {
            ...{ maxNewTokens: length, temperature: at.tenths / 10, seed: at.seed, stopTokens },
          })
          completions.forEach((ids, i) => {
            const most = Math.min(length, about.contextLength - prompts[i].length)
            const where = `completion ${i} [${ids.join(' ')}]`
            const first = ids.findIndex((token) => stopTokens.includes(token))
            require(ids.length >= 1 && ids.length <= most, `${where} has ${ids.length} tokens, at most ${most} may be`)
            require(first === -1 || first === ids.length - 1, `${where} goes on after the stop token ${ids[first]}`)
            require(first !== -1 || ids.length === most, `${where} ends without a stop token before ${most} tokens`)
            require(endedBy[i] === (first === -1 ? 'length' : 'stop'), `${where} says that it ended by ${endedBy[i]}`)
            require(logProbs[i].length === ids.length, `${where} has ${logProbs[i].length} log-probabilities`)
          })
        }),
    }),
    law({
      name: 'language-model/truncation',
      statement: 'Top-k and top-p keep the most likely tokens and sample nothing else.',
      formula: 'y_t ∈ {v : fewer than k tokens are likelier, and those that are likelier do not reach p}',
      source: 'Holtzman et al., arXiv 1904.09751; Sampling.topK, Sampling.topP',
      cost: 6,
      capability: 'generate',
      arbitrary: fc.record({
        at: settings,
        topK: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
        topP: fc.constantFrom(undefined, 0.9, 0.6, 0.3),
      }),
      show: ({ at, topK, topP }) => `${show(at)}, topK ${topK}, topP ${topP}`,
      holds: ({ at, topK = Infinity, topP = 1 }) =>
        subject.using(async ({ policy, about }) => {
          const prompts = promptsOf(at.prompts, about, 3)
          const temperature = at.tenths / 10
          const { completions } = await generate(policy, prompts, {
            ...{ maxNewTokens: 3, temperature, seed: at.seed },
            ...(topK !== Infinity && { topK }),
            ...(topP !== 1 && { topP }),
          })
          for (const [i, prompt] of prompts.entries()) {
            const tables = await nextTokens(policy, contextsOf(prompt, completions[i]), about, temperature)
            completions[i].forEach((token, t) => {
              const masses = tables[t].map(Math.exp)
              const kth = [...masses].sort((a, b) => b - a)[Math.min(topK, masses.length) - 1]
              const kept = masses.filter((mass) => mass >= kth)
              const likelier = kept.filter((mass) => mass > masses[token] * (1 + 10 * tolerance))
              const share = likelier.reduce((sum, mass) => sum + mass, 0) / kept.reduce((sum, mass) => sum + mass, 0)
              require(likelier.length <
                topK, `token ${t} after [${prompt.join(' ')}] is ${token}: ${likelier.length} tokens are likelier, topK is ${topK}`)
              require(share <
                topP +
                  100 *
                    tolerance, `token ${t} after [${prompt.join(' ')}] is ${token}: likelier ones have ${share}, topP is ${topP}`)
            })
          }
        }),
    }),
  ]
}
