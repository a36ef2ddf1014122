import type { RewardReply, Scorable } from '@collimate/core'
import { law, type Law, near, require } from '../law.js'
import { shownRollouts } from './rollouts.js'
import type { RewardSubject } from './subject.js'

const source = 'packages/core/src/contracts/reward-source.ts'

/** Laws of what a reply says beside its scores. */
export function shapeLaws(subject: RewardSubject): Law[] {
  return [stepEnds(subject), parts(subject)]
}

function stepEnds({ get, rollouts }: RewardSubject): Law {
  return law({
    name: 'reward/step-ends',
    statement: 'A reward per step says where each step ends: at a token of the completion, one after the other',
    formula: '|ends_i| = |s_i|; 0 ≤ ends_i1 < ends_i2 < … ≤ |y_i| − 1; no ends of other rewards',
    source,
    cost: 2,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => {
      const reply = await (await get()).score({ rollouts: given })
      const { granularity, stepEnds: ends } = reply
      require((ends !== undefined) ===
        (granularity === 'step'), `rewards per ${granularity} have ${ends ? '' : 'no '}stepEnds`)
      if (!ends) return
      require(ends.length === given.length, `ends of ${ends.length} rollouts for ${given.length}`)
      ends.forEach((own, i) => fittingEnds(own, reply, given, i))
    },
  })
}

function fittingEnds(ends: Int32Array, { scores }: RewardReply, rollouts: readonly Scorable[], i: number): void {
  const { length } = rollouts[i].completion.ids
  require(ends instanceof Int32Array, `the ends of rollout ${i} are no Int32Array`)
  require(ends.length === scores[i].length, `rollout ${i} has ${ends.length} ends and ${scores[i].length} scores`)
  ends.forEach((end, step) => {
    const first = step === 0 ? 0 : ends[step - 1] + 1
    require(end >= first &&
      end < length, `step ${step} of rollout ${i} ends at ${end}, not in ${first} to ${length - 1}`)
  })
}

function parts({ get, rollouts, weights, tolerance, claims }: RewardSubject): Law {
  return law({
    name: 'reward/parts',
    statement:
      'What scores are made of is one finite number per rollout and name, the same whoever is scored beside it; weighted, the parts add up to the score',
    formula: '|parts_n| = |rollouts|, parts_ni ∈ ℝ, Σ_n w_n parts_ni = Σ s_i',
    source: `${source}; TRL logs rewards/NAME/mean of what each reward function gave`,
    cost: 4,
    arbitrary: rollouts,
    show: shownRollouts,
    holds: async (given) => {
      const reward = await get()
      const { scores, parts: named } = await reward.score({ rollouts: given })
      require(weights === undefined || named !== undefined, 'the reply does not say what its scores are made of')
      if (!named) return
      for (const [name, values] of Object.entries(named)) {
        require(values.length ===
          given.length, `part ${name} has ${values.length} numbers for ${given.length} rollouts`)
        const wrong = values.findIndex((value) => !Number.isFinite(value))
        require(wrong === -1, `part ${name} of rollout ${wrong} is ${values[wrong]}`)
      }
      for (const [i, rollout] of given.entries()) {
        if (claims.deterministic === false) break
        const { parts: alone = {} } = await reward.score({ rollouts: [rollout] })
        for (const name of Object.keys(named))
          near(alone[name]?.[0], named[name][i], tolerance, `part ${name} of rollout ${i} by itself`)
      }
      if (weights === undefined) return
      const [found, expected] = [Object.keys(named), Object.keys(weights)].map((names) => names.toSorted().join(', '))
      require(found === expected, `the parts are ${found}, the weights those of ${expected}`)
      scores.forEach((own, i) => {
        const total = own.reduce((sum, score) => sum + score, 0)
        const sum = Object.entries(weights).reduce((all, [name, weight]) => all + weight * named[name][i], 0)
        near(sum, total, Math.max(tolerance, 1e-9), `the weighted sum of the parts of rollout ${i}`)
      })
    },
  })
}
