import fc from 'fast-check'
import { law, require, type Law } from '../law.js'
import { suiteOf, type LawSuite } from '../suite.js'

export interface NewHeadLawOptions {
  readonly name: string
  /** The matrix of a new scalar head on hidden states of this width, [width]. */
  readonly create: (width: number, seed: number) => ArrayLike<number>
}

/** The laws of a new scalar head: how the rewards of a model begin that was a language model before. */
export function lawsOfNewHead({ name, create }: NewHeadLawOptions): LawSuite {
  return suiteOf({ contract: 'policy', subject: name, laws: [startsWithVarianceOne(create), followsItsSeed(create)] })
}

function startsWithVarianceOne(create: NewHeadLawOptions['create']): Law {
  return law({
    name: 'scalar-head/initial-variance',
    statement: 'A new scalar head gives normalised hidden states of width d scores of variance about 1, around 0.',
    formula:
      'w ~ N(0, 1/(d + 1)):  −2√(nt) ≤ (d + 1) Σ w² − n ≤ 2√(nt) + 2t,  |√(d + 1) Σ w| ≤ √(2nt),  n weights, t = 20',
    source:
      'Stiennon et al., arXiv 2009.01325, appendix B.1; Laurent and Massart, Ann. Statist. 28 (2000); OpenRLHF model.py has 1/(d + 1) as deviation: 27.7 times less',
    cost: 10,
    arbitrary: fc.record({
      width: fc.constantFrom(32, 48, 64),
      seeds: fc.uniqueArray(fc.nat(1e6), { minLength: 8, maxLength: 8 }),
    }),
    show: ({ width, seeds }) => `width ${width}, seeds ${seeds.join(', ')}`,
    holds({ width, seeds }) {
      const weights = seeds.flatMap((seed) => Array.from(create(width, seed)))
      const [n, t] = [weights.length, 20]
      require(n === seeds.length * width, `a head on ${width} numbers has ${n / seeds.length} weights`)
      const squares = (width + 1) * weights.reduce((sum, weight) => sum + weight ** 2, 0)
      const [least, most] = [n - 2 * Math.sqrt(n * t), n + 2 * Math.sqrt(n * t) + 2 * t]
      require(squares >= least && squares <= most, `(d + 1) Σ w² is ${squares}, not between ${least} and ${most}`)
      const total = Math.sqrt(width + 1) * weights.reduce((sum, weight) => sum + weight, 0)
      require(Math.abs(total) <= Math.sqrt(2 * n * t), `√(d + 1) Σ w is ${total}, beyond ± ${Math.sqrt(2 * n * t)}`)
    },
  })
}

function followsItsSeed(create: NewHeadLawOptions['create']): Law {
  return law({
    name: 'scalar-head/initial-seed',
    statement: 'The same seed begins with the same head, another seed with another.',
    formula: 'w(s) = w(s), w(s) ≠ w(s′)',
    source: 'a run is repeated by its seed',
    cost: 10,
    arbitrary: fc.record({ seed: fc.nat(1e6), further: fc.integer({ min: 1, max: 1000 }) }),
    holds({ seed, further }) {
      const [one, same, other] = [seed, seed, seed + further].map((of) => Array.from(create(32, of)).join())
      require(one === same, 'the same seed gives another head')
      require(one !== other, `seeds ${seed} and ${seed + further} give the same head`)
    },
  })
}
