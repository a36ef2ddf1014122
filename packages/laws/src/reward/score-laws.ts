import fc from 'fast-check'
import { law, type Law, near, require } from '../law.js'
import { codeOf } from '../refused.js'
import { shownRollouts } from './rollouts.js'
import { fitting, type RewardSubject, sameScores } from './subject.js'

const source = 'packages/core/src/contracts/reward-source.ts'

/** Laws that hold for every reward source. */
export function scoreLaws(subject: RewardSubject): Law[] {
  return [
    oneScore(subject),
    finite(subject),
    value(subject),
    alone(subject),
    together(subject),
    untouched(subject),
    empty(subject),
    oddTexts(subject),
    closing(subject),
  ]
}

function oneScore({ get, rollouts }: RewardSubject): Law {
  return law({
    name: 'reward/one-score-per-rollout',
    statement:
      'Every rollout has its score: one number, or one for each of its steps or tokens as the granularity says',
    formula: '|scores| = |rollouts|; sequence: |s_i| = 1, token: |s_i| = |y_i|, step: 1 ≤ |s_i| ≤ |y_i|',
    source,
    cost: 2,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => fitting(await (await get()).score({ rollouts: given }), given),
  })
}

function finite({ get, rollouts }: RewardSubject): Law {
  return law({
    name: 'reward/finite',
    statement: 'Scores are finite numbers',
    formula: 'r(x, y) ∈ ℝ',
    source,
    cost: 2,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => {
      const { scores } = await (await get()).score({ rollouts: given })
      scores.forEach((one, i) => {
        const wrong = one.find((score) => !Number.isFinite(score))
        require(wrong === undefined, `the score of rollout ${i} is ${wrong}`)
      })
    },
  })
}

function value({ get, rollouts, formula, tolerance }: RewardSubject): Law {
  return law({
    name: 'reward/value',
    statement: 'The score of a completion is what its definition says: of all of its tokens and no other, by itself',
    formula: 'r(x, y) = formula(x, y)',
    source: 'gpt-neox#1285, trl#3750, transformers#35352: a reward that is read at another token',
    capability: 'formula',
    cost: 4,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => {
      const { scores } = await (await get()).score({ rollouts: given })
      for (const [i, rollout] of given.entries())
        near(scores[i][0], (await formula?.(rollout)) ?? NaN, tolerance, `the score of rollout ${i}`)
    },
  })
}

/** A judge that samples says so with `deterministic: false`; all others are held to these. */
const unlessSampled = ({ claims }: RewardSubject): { capability?: string } =>
  claims.deterministic === false ? { capability: 'deterministic' } : {}

function alone(subject: RewardSubject): Law {
  const { get, rollouts, tolerance } = subject
  return law({
    name: 'reward/batch-mates-do-not-matter',
    statement: 'A score depends on its rollout alone: scored together, one by one or in another order, it is the same',
    formula: 'r({a, b}) = (r({a}), r({b})), r({b, a}) = (r(b), r(a))',
    source: 'transformers#35352, reward-bench#137: the reward read at another token beside a longer row; AReaL#1351',
    ...unlessSampled(subject),
    cost: 4,
    arbitrary: fc.tuple(rollouts, fc.array(fc.nat(99), { minLength: 6, maxLength: 6 })),
    show: ([given, keys]) => `${shownRollouts(given)}\nin the order ${orderOf(given.length, keys).join(', ')}`,
    holds: async ([given, keys]) => {
      const reward = await get()
      const { scores } = await reward.score({ rollouts: given })
      const apart: Float64Array[] = []
      for (const rollout of given) apart.push(...(await reward.score({ rollouts: [rollout] })).scores)
      sameScores('one by one', apart, scores, tolerance)
      const order = orderOf(given.length, keys)
      const mixed = await reward.score({ rollouts: order.map((i) => given[i]) })
      sameScores(
        'in another order',
        mixed.scores,
        order.map((i) => scores[i]),
        tolerance,
      )
    },
  })
}

const orderOf = (count: number, keys: readonly number[]): number[] =>
  Array.from({ length: count }, (_, i) => i).toSorted((a, b) => keys[a] - keys[b])

function together(subject: RewardSubject): Law {
  const { get, rollouts, tolerance } = subject
  return law({
    name: 'reward/requests-do-not-mix',
    statement: 'Requests that are made at the same time get the scores that each would get by itself',
    formula: 'score(A) ∥ score(B) = (score(A), score(B))',
    source,
    ...unlessSampled(subject),
    cost: 4,
    arbitrary: fc.tuple(rollouts, rollouts),
    show: ([a, b]) => `${shownRollouts(a)}\nand at the same time\n${shownRollouts(b)}`,
    holds: async (requests) => {
      const reward = await get()
      const both = await Promise.all(requests.map((one) => reward.score({ rollouts: one })))
      for (const [i, one] of requests.entries()) {
        const { scores } = await reward.score({ rollouts: one })
        sameScores(`request ${i + 1} of two`, both[i].scores, scores, tolerance)
      }
    },
  })
}

function untouched(subject: RewardSubject): Law {
  const { get, rollouts, tolerance } = subject
  return law({
    name: 'reward/shares-nothing',
    statement: 'Scoring changes no rollout, and a reply that is written over changes no later score',
    formula: 'rollouts before = rollouts after; s := score(A), s := 99: score(A) as it was',
    source: 'replies and requests are events: recorders and wraps see the same objects',
    ...unlessSampled(subject),
    cost: 3,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => {
      const reward = await get()
      const before = JSON.stringify(given)
      const { scores } = await reward.score({ rollouts: given })
      require(JSON.stringify(given) === before, 'scoring changed a rollout')
      const kept = scores.map((one) => one.slice())
      for (const one of scores) one.fill(99)
      sameScores('the next time', (await reward.score({ rollouts: given })).scores, kept, tolerance)
    },
  })
}

function empty({ get }: RewardSubject): Law {
  return law({
    name: 'reward/no-rollouts',
    statement: 'A request without rollouts is answered without scores',
    formula: 'score([]) = []',
    source,
    cost: 25,
    arbitrary: fc.constant(undefined),
    show: () => 'no rollouts',
    holds: async () => {
      const { scores } = await (await get()).score({ rollouts: [] })
      require(scores.length === 0, `${scores.length} scores for no rollout`)
    },
  })
}

function oddTexts({ get, oddRollouts }: RewardSubject): Law {
  return law({
    name: 'reward/odd-texts',
    statement: 'Texts that no dataset has, and models write all the same, get finite scores or are refused with a code',
    formula: 'r(x, y) ∈ ℝ for every text, or COLLIMATE_...',
    source: 'tinker-cookbook#688: a grader that falls over looks like a model that fails',
    cost: 3,
    arbitrary: oddRollouts,
    show: shownRollouts,
    holds: async (given) => {
      const reply = await (await get()).score({ rollouts: given }).catch((error: unknown) => {
        const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
        require(codeOf(error)?.startsWith('COLLIMATE_') === true, `it falls over them: ${text}`)
      })
      if (!reply) return
      fitting(reply, given)
      reply.scores.forEach((one, i) => {
        const wrong = one.find((score) => !Number.isFinite(score))
        require(wrong === undefined, `the score of rollout ${i} is ${wrong}`)
      })
    },
  })
}

function closing({ fresh, rollouts }: RewardSubject): Law {
  return law({
    name: 'reward/close',
    statement: 'A source can be closed twice, before or after it has scored',
    formula: 'close; close: no error',
    source,
    cost: 25,
    arbitrary: fc.tuple(rollouts, fc.boolean()),
    show: ([given, used]) => (used ? `used: ${shownRollouts(given)}` : 'never used'),
    holds: async ([given, used]) => {
      const reward = await fresh()
      if (used) await reward.score({ rollouts: given })
      await reward.close()
      await reward.close()
    },
  })
}
