import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { grid } from '../objective/example.js'
import type { Formulas } from './formulas.js'
import { gammas, junk, lambdas, poisoned, slotsOf, tokenCases, type TokenCase } from './token-arrays.js'

const paper = 'Schulman et al., arXiv 1506.02438'

/** Σ_k decay^k x_{t+k}: the explicit sum that a recursion stands for. */
const discounted = (values: readonly number[], decay: number): number =>
  values.reduce((sum, value, k) => sum + (k === 0 ? 1 : decay ** k) * value, 0)

/** Advantages, returns and the rewards that they are made of. */
export function gaeLaws(f: Formulas): Law[] {
  const perToken = (
    c: TokenCase,
    found: Float64Array,
    what: string,
    expected: (slots: readonly number[], at: number) => number,
  ) => {
    require(found.length === c.rows * c.width, `${what} has ${found.length} numbers, not ${c.rows * c.width}`)
    for (let slot = 0; slot < found.length; slot++)
      if (c.mask[slot] === 0) near(found[slot], 0, 0, `${what} of masked slot ${slot}`)
    for (let row = 0; row < c.rows; row++) {
      const slots = slotsOf(c, row)
      slots.forEach((slot, at) => near(found[slot], expected(slots, at), 1e-11, `${what} of row ${row}, token ${at}`))
    }
  }
  const residual = (c: TokenCase, gamma: number) => (slots: readonly number[], at: number) => {
    const next = slots[at + 1]
    return c.rewards[slots[at]] + gamma * (next === undefined ? 0 : c.values[next]) - c.values[slots[at]]
  }
  return [
    law({
      name: 'gae/monte-carlo',
      statement: 'With λ = 1 the advantage is the Monte-Carlo return less the value.',
      formula: 'λ = 1: A_t = Σ_k γ^k r_{t+k} − V_t',
      source: `${paper}, eq. 18`,
      capability: 'gae',
      arbitrary: fc.record({ batch: tokenCases(), gamma: gammas }),
      holds: ({ batch, gamma }) =>
        perToken(batch, f.gae({ ...batch, gamma, lambda: 1 }).advantages, 'the advantage', (slots, at) => {
          const rest = slots.slice(at).map((slot) => batch.rewards[slot])
          return discounted(rest, gamma) - batch.values[slots[at]]
        }),
    }),
    law({
      name: 'gae/td-residual',
      statement: 'With λ = 0 the advantage is the TD residual; the value after the last token is 0.',
      formula: 'λ = 0: A_t = r_t + γ V_{t+1} − V_t',
      source: `${paper}, eq. 17`,
      capability: 'gae',
      arbitrary: fc.record({ batch: tokenCases(), gamma: gammas }),
      holds: ({ batch, gamma }) =>
        perToken(batch, f.gae({ ...batch, gamma, lambda: 0 }).advantages, 'the advantage', residual(batch, gamma)),
    }),
    law({
      name: 'gae/explicit-sum',
      statement: 'The advantage is the sum of the residuals from its token on, each (γλ) times the one before.',
      formula: 'A_t = Σ_k (γλ)^k δ_{t+k}',
      source: `${paper}, eq. 16; DeepSpeedExamples issue 672: off by one`,
      capability: 'gae',
      arbitrary: fc.record({ batch: tokenCases(), gamma: gammas, lambda: lambdas }),
      holds: ({ batch, gamma, lambda }) =>
        perToken(batch, f.gae({ ...batch, gamma, lambda }).advantages, 'the advantage', (slots, at) =>
          discounted(
            slots.slice(at).map((_, k) => residual(batch, gamma)(slots, at + k)),
            gamma * lambda,
          ),
        ),
    }),
    law({
      name: 'gae/returns',
      statement: 'A return is its advantage plus its value, before any whitening.',
      formula: 'R_t = A_t + V_t',
      source: `${paper}; arXiv 1707.06347`,
      capability: 'gae',
      arbitrary: fc.record({ batch: tokenCases(), gamma: gammas, lambda: lambdas }),
      holds: ({ batch, gamma, lambda }) => {
        const { advantages, returns } = f.gae({ ...batch, gamma, lambda })
        perToken(batch, returns, 'the return', (slots, at) => advantages[slots[at]] + batch.values[slots[at]])
      },
    }),
    law({
      name: 'gae/masked-slots',
      statement: 'What stands in masked slots never matters, NaN and Infinity included.',
      formula: 'A(r, V with junk where m = 0) = A(r, V)',
      source: 'ROLL issue 447, verl issues 50 and 1850: masked values bootstrap; OpenRLHF issue 1240',
      capability: 'gae',
      arbitrary: fc.record({ batch: tokenCases(), gamma: gammas, lambda: lambdas, by: junk }),
      holds: ({ batch, gamma, lambda, by }) => {
        const clean = f.gae({ ...batch, gamma, lambda })
        const { rewards, values, mask } = batch
        const dirty = { ...batch, rewards: poisoned(rewards, mask, by), values: poisoned(values, mask, by) }
        const found = f.gae({ ...dirty, gamma, lambda })
        clean.advantages.forEach((value, slot) =>
          near(found.advantages[slot], value, 0, `the advantage of slot ${slot}`),
        )
        clean.returns.forEach((value, slot) => near(found.returns[slot], value, 0, `the return of slot ${slot}`))
      },
    }),
    law({
      name: 'gae/inserted-tokens',
      statement: 'A masked token between two real ones is no step: the advantages are those without it.',
      formula: 'A(tokens with masked ones inserted) = A(tokens)',
      source: 'miles issue 1827: tool tokens decay the advantage',
      capability: 'gae',
      arbitrary: fc.record({ batch: tokenCases({ prefix: true }), gamma: gammas, lambda: lambdas, at: fc.nat(5) }),
      holds: ({ batch, gamma, lambda, at }) => {
        const column = at % (batch.width + 1)
        const width = batch.width + 1
        const wider = <T extends Float64Array | Uint8Array>(list: T, by: number): T => {
          const rows = Array.from({ length: batch.rows }, (_, row) => [
            ...list.subarray(row * batch.width, (row + 1) * batch.width),
          ])
          return (list.constructor as unknown as { from(values: number[]): T }).from(
            rows.flatMap((row) => [...row.slice(0, column), by, ...row.slice(column)]),
          )
        }
        const inserted = {
          rows: batch.rows,
          width,
          rewards: wider(batch.rewards, 9),
          values: wider(batch.values, -9),
          mask: wider(batch.mask, 0),
        }
        const [before, after] = [batch, inserted].map((one) => ({ one, ...f.gae({ ...one, gamma, lambda }) }))
        for (let row = 0; row < batch.rows; row++) {
          const [slots, wide] = [slotsOf(before.one, row), slotsOf(after.one, row)]
          slots.forEach((slot, k) =>
            near(after.advantages[wide[k]], before.advantages[slot], 1e-12, `the advantage of token ${k}`),
          )
        }
      },
    }),
    law({
      name: 'gae/monte-carlo-returns',
      statement:
        'The Monte-Carlo return of a token is the discounted sum of the rewards from it on; masked tokens are no steps.',
      formula: 'G_t = Σ_k γ^k r_{t+k}',
      source: 'Sutton and Barto, Reinforcement Learning, eq. 3.8; rlhf-book issue 216',
      capability: 'monteCarloReturns',
      arbitrary: fc.record({ batch: tokenCases(), gamma: gammas, by: junk }),
      holds: ({ batch, gamma, by }) => {
        const rewards = poisoned(batch.rewards, batch.mask, by)
        perToken(batch, f.monteCarloReturns({ ...batch, rewards, gamma }), 'the return', (slots, at) =>
          discounted(
            slots.slice(at).map((slot) => batch.rewards[slot]),
            gamma,
          ),
        )
      },
    }),
    law({
      name: 'gae/rewards-sum',
      statement:
        'The rewards of a completion add up to its score less β times its summed log-ratio, and the score comes with the last real token.',
      formula: 'Σ_t r_t = score − β Σ_t (log π − log π_ref)',
      source:
        'arXiv 1909.08593; TRL issues 3750 and 5338: the score at a padding token; slime issue 1247: β never applied',
      capability: 'klRewards',
      arbitrary: tokenCases().chain((batch) =>
        fc.record({
          batch: fc.constant(batch),
          scores: fc.array(grid(-5, 5), { minLength: batch.rows, maxLength: batch.rows }),
          beta: fc.constantFrom(0.05, 0, 1),
          by: junk,
        }),
      ),
      holds: ({ batch, scores, beta, by }) => {
        const { rows, width, mask, rewards: logProbs, values: refLogProbs } = batch
        const given = { rows, width, mask, scores, beta }
        const found = f.klRewards({
          ...given,
          logProbs: poisoned(logProbs, mask, by),
          refLogProbs: poisoned(refLogProbs, mask, by),
        })
        perToken(batch, found, 'the reward', (slots, at) => {
          const penalty = beta * (logProbs[slots[at]] - refLogProbs[slots[at]])
          return (at === slots.length - 1 ? scores[Math.floor(slots[at] / width)] : 0) - penalty
        })
      },
    }),
    ...whiteningLaws(f),
  ]
}

function whiteningLaws(f: Formulas): Law[] {
  const masked = tokenCases().map(({ values, mask }) => ({ values, mask }))
  const real = (values: Float64Array, mask: Uint8Array) => Array.from(values).filter((_, slot) => mask[slot] !== 0)
  return [
    law({
      name: 'gae/whitened',
      statement: 'Whitened values have mean 0 and variance 1 over the real tokens, and keep their order.',
      formula: 'mean_m = 0, var_m = 1 (Bessel), x_i < x_j → w_i < w_j',
      source: 'torchtune whiten(shift_mean=True) puts the mean back: 2.89 where 0 is meant',
      capability: 'whiten',
      arbitrary: masked,
      holds: ({ values, mask }) => {
        const white = f.whiten({ values, mask })
        const [given, found] = [real(values, mask), real(white, mask)]
        white.forEach((value, slot) =>
          require(Number.isFinite(value) && (mask[slot] !== 0 || value === 0), `slot ${slot} is ${value}`),
        )
        if (found.length === 0) return
        const sum = found.reduce((a, b) => a + b, 0)
        near(sum / found.length, 0, 1e-9, 'the mean')
        if (new Set(given).size > 1) {
          const squares = found.reduce((a, b) => a + (b - sum / found.length) ** 2, 0)
          near(squares / (found.length - 1), 1, 2e-5, 'the variance')
        }
        given.forEach((a, i) =>
          given.forEach((b, j) => require(a >= b || found[i] < found[j], `values ${a} and ${b} change their order`)),
        )
      },
    }),
    law({
      name: 'gae/whitening-is-masked',
      statement: 'What stands in masked slots does not enter the mean or the variance.',
      formula: 'w(x with junk where m = 0) = w(x)',
      source: 'AReaL issue 1351: normalisation polluted by excluded rows',
      capability: 'whiten',
      arbitrary: fc.record({ batch: masked, by: junk }),
      holds: ({ batch: { values, mask }, by }) => {
        const clean = f.whiten({ values, mask })
        f.whiten({ values: poisoned(values, mask, by), mask }).forEach((value, slot) =>
          near(value, clean[slot], 0, `slot ${slot}`),
        )
      },
    }),
  ]
}
