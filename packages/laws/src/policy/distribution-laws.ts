import fc from 'fast-check'
import { law, near, require, Violation, type Law } from '../law.js'
import { distributionOf } from '../world/distribution-of.js'
import { listSequences, logSumExp } from '../world/world.js'
import { promptOf, tokens } from './cases.js'
import { generate, listOf, nextTokens } from './sampling-cases.js'
import type { Subject } from './subject.js'

/** The distribution that the policy is, and samples as draws from it. */
export function distributionLaws(subject: Subject): Law[] {
  const { tolerance } = subject
  const list = listOf(subject)

  return [
    law({
      name: 'language-model/normalised',
      statement: 'The probabilities of all completions of a prompt add up to 1.',
      formula: 'Σ_y π(y|x) = 1 over every y that ends with a stop token or is cut at the greatest length',
      source: 'definition of a distribution, by enumeration',
      cost: 20,
      capability: 'language',
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
  ]
}
