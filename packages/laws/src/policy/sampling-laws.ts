import type { Generation, Policy, Sampling } from '@collimate/core'
import fc from 'fast-check'
import { law, near, require, Violation, type Law } from '../law.js'
import { distributionOf, exampleOf } from '../world/distribution-of.js'
import { listSequences, logSumExp } from '../world/world.js'
import { batchOf, known, promptOf, real, tokens } from './cases.js'
import { sameNumbers, type Opened, type Subject } from './subject.js'

type Size = Opened['about']

/** [context][V] log-probabilities of the token that comes next. */
async function nextTokens(
  policy: Policy,
  contexts: readonly (readonly number[])[],
  size: Size,
  temperature = 1,
): Promise<readonly (readonly number[])[]> {
  const vocabulary = Array.from({ length: size.vocabularySize }, (_, token) => [token])
  return Promise.all(
    contexts.map(
      async (context) =>
        (await distributionOf(policy, { prompts: [context], completions: vocabulary }, temperature))[0],
    ),
  )
}

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
  const list = (ids: readonly number[]): string => `[${known(ids, subject.size() ?? { vocabularySize: 32 }).join(' ')}]`
  const show = ({ prompts, tenths, seed }: Settings): string =>
    `prompts ${prompts.map(list).join(' ')}, temperature ${tenths / 10}, seed ${seed}`
  const promptsOf = (prompts: Settings['prompts'], size: Size, room: number): number[][] =>
    prompts.map((ids) => promptOf(ids, size, room))
  const generate = (policy: Policy, prompts: readonly number[][], sampling: Sampling, more = {}): Promise<Generation> =>
    policy.generate({ prompts: prompts.map((ids) => Int32Array.from(ids)), sampling, ...more })

  return [
    law({
      name: 'language-model/normalised',
      statement: 'The probabilities of all completions of a prompt add up to 1.',
      formula: 'Σ_y π(y|x) = 1 over every y that ends with a stop token or is cut at the greatest length',
      source: 'definition of a distribution, by enumeration',
      cost: 20,
      arbitrary: tokens(1, 4),
      show: (prompt) => `prompt ${list(prompt)}`,
      holds: (given) =>
        subject.using(async ({ policy, about }) => {
          const maxLength = Math.min(about.vocabularySize <= 8 ? 3 : 2, about.contextLength - 1)
          const stops = about.eosTokens
          const letters = Array.from({ length: about.vocabularySize }, (_, id) => id).filter(
            (id) => !stops.includes(id),
          )
          const completions = listSequences(stops, letters, maxLength)
          const [row] = await distributionOf(policy, { prompts: [promptOf(given, about, maxLength)], completions })
          near(Math.exp(logSumExp(row)), 1, completions.length * tolerance, 'Σ_y π(y|x)')
        }),
    }),
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
      name: 'language-model/seeds',
      statement: 'Another seed gives other samples.',
      formula: 'P(n tokens of two seeds are equal) = (Σ_v π(v)²)ⁿ, below 10⁻⁹',
      source: 'GenerateRequest: counter-based random numbers; ms-swift#10167: options that do nothing',
      cost: 5,
      capability: 'generate',
      arbitrary: fc.record({
        prompt: tokens(1, 4),
        seeds: fc.uniqueArray(fc.nat(1e6), { minLength: 2, maxLength: 2 }),
      }),
      show: ({ prompt, seeds }) => `prompt ${list(prompt)}, seeds ${seeds.join(' and ')}`,
      holds: ({ prompt: given, seeds }) =>
        subject.using(async ({ policy, about }) => {
          const prompt = promptOf(given, about)
          const [row] = await nextTokens(policy, [prompt], about)
          const alike = row.reduce((sum, logProb) => sum + Math.exp(2 * logProb), 0)
          const count = Math.ceil(Math.log(1e-9) / Math.log(Math.min(alike, 1 - 1e-12)))
          // Where one token is nearly certain, too many samples would be needed to tell.
          if (count > 2000) return
          const samples = await Promise.all(
            seeds.map((seed) =>
              generate(policy, new Array<number[]>(count).fill(prompt), { maxNewTokens: 1, temperature: 1, seed }),
            ),
          )
          const [first, second] = samples.map(({ completions }) => completions.map(([token]) => token).join(' '))
          require(first !== second, `${count} samples of both seeds are equal`)
        }),
    }),
    law({
      name: 'language-model/frequencies',
      statement: 'Samples are as frequent as they are likely.',
      formula:
        'sup_y |F_n(y) − F(y)| ≤ √(ln(2/α) / 2n), α = 10⁻⁹ (Dvoretzky, Kiefer and Wolfowitz, with Massart’s constant)',
      source: 'Massart, Ann. Probab. 18 (1990); mlx-lm-lora: argmax as action',
      cost: 33,
      capability: 'generate',
      arbitrary: fc.record({ prompt: tokens(1, 4), tenths: fc.integer({ min: 5, max: 20 }), seed: fc.nat(1e6) }),
      show: ({ prompt, tenths, seed }) => `prompt ${list(prompt)}, temperature ${tenths / 10}, seed ${seed}`,
      holds: ({ prompt: given, tenths, seed }) =>
        subject.using(async ({ policy, about }) => {
          const prompt = promptOf(given, about, 2)
          const temperature = tenths / 10
          const count = 1000
          const { completions } = await generate(policy, new Array<number[]>(count).fill(prompt), {
            maxNewTokens: 2,
            temperature,
            seed,
          })
          const V = about.vocabularySize
          const [first] = await nextTokens(policy, [prompt], about, temperature)
          const second = await nextTokens(
            policy,
            first.map((_, token) => [...prompt, token]),
            about,
            temperature,
          )
          // Two tokens in lexicographic order; one that stops after its first stands before all that begin with it.
          const expected = first.flatMap((logProb, v) =>
            about.eosTokens.includes(v) || prompt.length + 1 >= about.contextLength
              ? [Math.exp(logProb), ...new Array<number>(V - 1).fill(0)]
              : second[v].map((next) => Math.exp(logProb + next)),
          )
          const seen = new Float64Array(V * V)
          for (const ids of completions) seen[ids[0] * V + (ids[1] ?? 0)] += 1 / count
          const bound = Math.sqrt(Math.log(2 / 1e-9) / (2 * count))
          let distance = 0
          expected.forEach((probability, i) => {
            distance += seen[i] - probability
            if (Math.abs(distance) > bound)
              throw new Violation(
                `up to [${Math.floor(i / V)} ${i % V}] the share of ${count} samples is off by ${distance.toFixed(3)}, more than ${bound.toFixed(3)}`,
              )
          })
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
