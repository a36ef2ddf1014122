import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { grid } from '../objective/example.js'
import type { Formulas } from './formulas.js'

const reward = grid(-12, 12, 0.25)
const anyReward = fc.oneof({ weight: 4, arbitrary: reward }, fc.constantFrom(1e4, -1e4))
const bradley = 'Bradley and Terry, Biometrika 39 (1952)'

/** Preferences from rewards, and the functions that they are computed with. */
export function preferenceLaws(f: Formulas): Law[] {
  const logit = (p: number) => Math.log(p) - Math.log1p(-p)
  return [
    law({
      name: 'bradley-terry/complement',
      statement: 'Of two answers one is preferred: the probabilities add up to 1, also of rewards 10000 apart.',
      formula: 'P(a ≻ b) + P(b ≻ a) = 1',
      source: bradley,
      capability: 'bradleyTerry',
      arbitrary: fc.record({ a: anyReward, b: anyReward }),
      holds: ({ a, b }) => near(f.bradleyTerry(a, b) + f.bradleyTerry(b, a), 1, 1e-15, 'P(a ≻ b) + P(b ≻ a)'),
    }),
    law({
      name: 'bradley-terry/shift',
      statement: 'A constant of the prompt added to both rewards changes nothing.',
      formula: 'P(r_a + c, r_b + c) = P(r_a, r_b)',
      source: 'Rafailov et al., arXiv 2305.18290, definition 1',
      capability: 'bradleyTerry',
      arbitrary: fc.record({ a: reward, b: reward, c: grid(-64, 64) }),
      holds: ({ a, b, c }) => near(f.bradleyTerry(a + c, b + c), f.bradleyTerry(a, b), 1e-13, 'P after the shift'),
    }),
    law({
      name: 'bradley-terry/log-odds-chain',
      statement: 'Log-odds add along a chain of three answers.',
      formula: 'logit P(a ≻ b) + logit P(b ≻ c) = logit P(a ≻ c)',
      source: bradley,
      capability: 'bradleyTerry',
      arbitrary: fc.record({ a: grid(-4, 4), b: grid(-4, 4), c: grid(-4, 4) }),
      holds: ({ a, b, c }) =>
        near(logit(f.bradleyTerry(a, b)) + logit(f.bradleyTerry(b, c)), logit(f.bradleyTerry(a, c)), 1e-9, 'the sum'),
    }),
    law({
      name: 'bradley-terry/monotone',
      statement: 'The greater reward is preferred, and the more the greater it is.',
      formula: 'r_a < r_a′ → P(a ≻ b) < P(a′ ≻ b); P(a ≻ a) = ½',
      source: `${bradley}; open-instruct issue 729`,
      capability: 'bradleyTerry',
      arbitrary: fc.record({ a: reward, b: reward, more: grid(0.25, 8) }),
      holds: ({ a, b, more }) => {
        near(f.bradleyTerry(a, a), 0.5, 0, 'P(a ≻ a)')
        require(f.bradleyTerry(a + more, b) > f.bradleyTerry(a, b), 'P does not rise with the reward')
      },
    }),
    law({
      name: 'bradley-terry/finite',
      statement: 'Rewards 10000 apart give log-probabilities 0 and −10000, not infinities.',
      formula: 'log σ(±x) for x = 1e4: 0 and −x; log σ(x) − log σ(−x) = x',
      source: 'jax-js logSigmoid(−100) = −Infinity; OpenRLHF LogExpLoss',
      capability: 'logSigmoid',
      arbitrary: fc.oneof(grid(-40, 40), fc.constantFrom(1e4, -1e4, 750, -750, 36.75, -36.75)),
      holds: (x) => {
        near(f.logSigmoid(x) - f.logSigmoid(-x), x, 1e-13, 'log σ(x) − log σ(−x)')
        require(f.logSigmoid(x) <= 0, `log σ(${x}) is ${f.logSigmoid(x)}`)
        // exp of it is σ; below −30 the two agree to all digits with exp(x) alone.
        near(f.logSigmoid(x), x < -30 ? x : Math.log(1 / (1 + Math.exp(-x))), 1e-12, 'log σ(x)')
      },
    }),
    law({
      name: 'bradley-terry/log-mean-exp',
      statement:
        'The log of a mean of exponentials moves with a constant, lies between the mean and the largest value, and never overflows.',
      formula: 'lme(v + c) = lme(v) + c; mean(v) ≤ lme(v) ≤ max(v)',
      source: 'Jensen’s inequality',
      capability: 'logMeanExp',
      arbitrary: fc.record({
        values: fc.array(anyReward, { minLength: 1, maxLength: 5 }),
        c: fc.constantFrom(0, 1, -3, 1e4, -1e4),
      }),
      holds: ({ values, c }) => {
        const found = f.logMeanExp(values)
        near(f.logMeanExp(values.map((value) => value + c)) - c, found, 1e-10, 'the shifted log-mean-exp')
        const mean = values.reduce((a, b) => a + b, 0) / values.length
        const most = Math.max(...values)
        require(mean <= found + 1e-12 && found <= most + 1e-12, `it is ${found}`)
        const shares = values.map((value) => Math.exp(value - most))
        near(Math.exp(found - most), shares.reduce((a, b) => a + b, 0) / values.length, 1e-9, 'exp of it')
      },
    }),
  ]
}
