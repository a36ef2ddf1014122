import type { RewardSource, Scorable, TokenizerFiles } from '@collimate/core'
import type { Arbitrary } from 'fast-check'
import { shared } from '../shared.js'
import { type Claims, type LawSuite, suiteOf } from '../suite.js'
import { claimLaws } from './claim-laws.js'
import { type Columns, odd, rolloutsOf } from './rollouts.js'
import { scoreLaws } from './score-laws.js'
import { shapeLaws } from './shape-laws.js'
import type { RewardSubject } from './subject.js'

export interface RewardLawsOptions {
  readonly name: string
  create(): RewardSource | Promise<RewardSource>
  /**
   * Of the plugin's manifest: `deterministic` (false for judges that sample: then only what every judge must do is checked),
   * `bounded: [low, high]`, `granularity`.
   */
  readonly claims?: Claims
  /** Completions to try; default: answers, some empty, some strange. */
  readonly texts?: readonly string[]
  /** Columns of the data row that the source reads, such as a reference answer, or a list of those to try; default none. */
  readonly columns?: Arbitrary<Columns> | readonly Columns[]
  /** The score of a whole completion, computed another way, e.g. by the model alone; default not checked. */
  readonly formula?: (rollout: Scorable) => number | Promise<number>
  /** What each part of the reply counts in the score, by name: then the parts have to add up. Default: not checked. */
  readonly weights?: Readonly<Record<string, number>>
  /** Gives the ids of prompts and completions; default a byte-level tokenizer. */
  readonly tokenizer?: TokenizerFiles
  /** Most that rounding changes a score when its batch-mates change, relative to max(1, |score|); default 1e-9. */
  readonly tolerance?: number
}

/** What a reward source must fulfil: one finite score per rollout, which depends on that rollout alone. */
export function lawsOfRewardSource(options: RewardLawsOptions): LawSuite {
  const { name, create, claims = {}, tolerance = 1e-9 } = options
  const one = shared(create, (source) => source.close())
  const subject: RewardSubject = {
    get: one.get,
    fresh: async () => create(),
    rollouts: rolloutsOf(options),
    oddRollouts: odd(options),
    tolerance,
    claims,
    weights: options.weights,
    formula: options.formula,
  }
  return suiteOf({
    contract: 'reward',
    subject: name,
    claims: { ...claims, formula: options.formula !== undefined },
    laws: [...scoreLaws(subject), ...shapeLaws(subject), ...claimLaws(subject)],
    close: one.close,
  })
}
