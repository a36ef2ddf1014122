import { law, type Law, require } from '../law.js'
import { shownRollouts } from './rollouts.js'
import { type RewardSubject, sameScores } from './subject.js'

const source = 'the plugin’s own manifest'

/** Laws of what a reward source claims. */
export function claimLaws(subject: RewardSubject): Law[] {
  return [deterministic(subject), bounded(subject), granularity(subject)]
}

function deterministic({ get, fresh, rollouts }: RewardSubject): Law {
  return law({
    name: 'reward/deterministic',
    statement: 'The same rollouts get the same scores, asked again and of a new source, bit by bit',
    formula: 'score(A) = score(A)',
    source,
    capability: 'deterministic',
    cost: 8,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => {
      const [reward, other] = [await get(), await fresh()]
      try {
        const { scores } = await reward.score({ rollouts: given })
        const kept = scores.map((one) => one.slice())
        sameScores('asked again', (await reward.score({ rollouts: given })).scores, kept, 0)
        sameScores('of a new source', (await other.score({ rollouts: given })).scores, kept, 0)
      } finally {
        await other.close()
      }
    },
  })
}

function bounded({ get, rollouts, claims }: RewardSubject): Law {
  const [low, high] = Array.isArray(claims.bounded) ? claims.bounded.map(Number) : [Number.NaN, Number.NaN]
  return law({
    name: 'reward/bounded',
    statement: 'Every score lies within the bounds that the manifest claims',
    formula: 'low ≤ r(x, y) ≤ high',
    source,
    capability: 'bounded',
    cost: 2,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => {
      require(low <= high, `the manifest claims ${JSON.stringify(claims.bounded)}, which are no bounds [low, high]`)
      const { scores } = await (await get()).score({ rollouts: given })
      scores.forEach((one, i) => {
        const wrong = one.find((score) => !(score >= low && score <= high))
        require(wrong === undefined, `the score of rollout ${i} is ${wrong}, outside of ${low} to ${high}`)
      })
    },
  })
}

function granularity({ get, rollouts, claims }: RewardSubject): Law {
  return law({
    name: 'reward/granularity',
    statement: 'Scores come in the granularity that the manifest claims',
    formula: 'reply.granularity = manifest.granularity',
    source,
    capability: 'granularity',
    cost: 2,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => {
      const found = (await (await get()).score({ rollouts: given })).granularity
      require(found ===
        claims.granularity, `scores come per ${found}, the manifest claims ${String(claims.granularity)}`)
    },
  })
}
