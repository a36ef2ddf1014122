import { lawsOfFormulas, ownFormulas, type Formulas } from '@collimate/laws'
import { mutantsOf, type Mutation } from './mutant.js'

/** A mutation of some of the formulas; the suite is judged with all of them. */
function formula(
  id: string,
  defect: string,
  what: string,
  change: (right: Formulas) => Partial<Formulas>,
): Mutation<Formulas> {
  return { id: `formula-${id}`, defect, what, wrong: (right) => ({ ...right, ...change(right) }) }
}

const ones = (mask: Uint8Array): Uint8Array => new Uint8Array(mask.length).fill(1)
/** Whether a slot is real and the one behind it in its row is not. */
const isLast = ({ width, mask }: { width: number; mask: Uint8Array }, slot: number): boolean =>
  mask[slot] !== 0 &&
  ((slot + 1) % width === 0 || mask.subarray(slot + 1, slot + width - (slot % width)).every((bit) => bit === 0))

const kl = [
  formula('k1-sign', 'L1', 'k1 is log π_ref − log π, so that a penalty on it rewards divergence', ({ k1 }) => ({
    k1: (logProb, refLogProb) => -k1(logProb, refLogProb),
  })),
  formula('k2-without-half', 'class 32', 'k2 is r², whose gradient is twice that of the KL', ({ k2 }) => ({
    k2: (logProb, refLogProb) => 2 * k2(logProb, refLogProb),
  })),
  formula('k2-is-k1', 'class 32', 'the loss is k1, whose expected gradient is zero', ({ k1 }) => ({ k2: k1 })),
  formula('k2-is-k3', 'class 32', 'the loss has the gradient of the other KL', ({ k3 }) => ({ k2: k3 })),
  formula('k3-direction', 'L2, L16, class 31', 'k3 is exp(r) − 1 − r under samples of π: no KL at all', ({ k3 }) => ({
    k3: (logProb, refLogProb) => k3(refLogProb, logProb),
  })),
  formula('k3-naive', 'class 33', 'k3 is exp(−r) − 1 + r without expm1: below 0 next to 0', () => ({
    k3: (logProb, refLogProb) => Math.exp(refLogProb - logProb) - 1 + (logProb - refLogProb),
  })),
  formula('controller-sign', 'class 35', 'the penalty grows where the KL is below its target', ({ nextBeta }) => ({
    nextBeta: (beta, kl, completions, towards) => nextBeta(beta, 2 * towards.target - kl, completions, towards),
  })),
  formula('controller-unlimited', 'class 35', 'the penalty follows the KL however far it is', () => ({
    nextBeta: (beta, kl, completions, { target, horizon }) => beta * (1 + ((kl / target - 1) * completions) / horizon),
  })),
  formula(
    'controller-of-totals',
    'class 35',
    'the controller is fed the KL of all completions together',
    ({ nextBeta }) => ({
      nextBeta: (beta, kl, completions, towards) => nextBeta(beta, kl * completions, completions, towards),
    }),
  ),
  formula('rewards-add-kl', 'L8', 'the KL penalty is added to the score, as a document says', ({ klRewards }) => ({
    klRewards: (input) => klRewards({ ...input, beta: -input.beta }),
  })),
  formula('rewards-without-kl', 'class 34', 'the KL coefficient is computed and not applied', ({ klRewards }) => ({
    klRewards: (input) => klRewards({ ...input, beta: 0 }),
  })),
  formula(
    'rewards-at-padding',
    'class 5',
    'the score lies at the end of the row, on padding where there is some',
    ({ klRewards }) => ({
      klRewards: (input) => {
        const { width, mask, scores } = input
        return klRewards(input).map((reward, slot) => {
          const score = scores[Math.floor(slot / width)]
          if (isLast(input, slot) && (slot + 1) % width !== 0) return reward - score
          return (slot + 1) % width === 0 && mask[slot] === 0 ? score : reward
        })
      },
    }),
  ),
  formula('rewards-at-every-token', 'class 5', 'every token has the score of the whole', ({ klRewards }) => ({
    klRewards: (input) =>
      klRewards(input).map((reward, slot) =>
        input.mask[slot] === 0 || isLast(input, slot) ? reward : reward + input.scores[Math.floor(slot / input.width)],
      ),
  })),
  formula('rewards-penalise-padding', 'class 10', 'padding pays the KL penalty too', ({ klRewards }) => ({
    klRewards: (input) => klRewards({ ...input, mask: ones(input.mask) }),
  })),
]

export const gae = [
  formula(
    'gae-bootstraps-padding',
    'class 7',
    'the value behind the last token is that of a padding slot',
    ({ gae }) => ({
      gae: (input) =>
        gae({
          ...input,
          rewards: input.rewards.map((reward, slot) =>
            isLast(input, slot) && (slot + 1) % input.width !== 0
              ? reward + input.gamma * input.values[slot + 1]
              : reward,
          ),
        }),
    }),
  ),
  formula('gae-decays-over-observations', 'class 8', 'the weight decays over masked tokens too', ({ gae }) => ({
    gae: (input) => {
      const rewards = input.rewards.map((reward, slot) => (input.mask[slot] === 0 ? 0 : reward))
      const values = input.values.slice()
      for (let slot = values.length - 1; slot >= 0; slot--)
        if (input.mask[slot] === 0) values[slot] = (slot + 1) % input.width === 0 ? 0 : values[slot + 1]
      const real = (all: Float64Array): Float64Array => all.map((value, slot) => (input.mask[slot] === 0 ? 0 : value))
      const { advantages, returns } = gae({ ...input, rewards, values, mask: ones(input.mask) })
      return { advantages: real(advantages), returns: real(returns) }
    },
  })),
  formula(
    'gae-multiplies-mask',
    'class 9',
    'masked slots are multiplied by 0, so that NaN in them spreads',
    ({ gae }) => ({
      gae: (input) => {
        const { advantages, returns } = gae(input)
        const spread = input.values.reduce((sum, value) => sum + 0 * value, 0)
        return { advantages: advantages.map((value) => value + spread), returns }
      },
    }),
  ),
  formula('gae-returns-of-padding', 'class 10', 'returns of padding are its values', ({ gae }) => ({
    gae: (input) => {
      const { advantages, returns } = gae(input)
      return {
        advantages,
        returns: returns.map((value, slot) => (input.mask[slot] === 0 ? input.values[slot] : value)),
      }
    },
  })),
  formula('gae-ends-early', 'class 15', 'the last token of a completion has no advantage', ({ gae }) => ({
    gae: (input) => {
      const { advantages, returns } = gae(input)
      return { advantages: advantages.map((value, slot) => (isLast(input, slot) ? 0 : value)), returns }
    },
  })),
  formula('gae-lambda-ignored', 'class 30', 'λ is taken for 1', ({ gae }) => ({
    gae: (input) => gae({ ...input, lambda: 1 }),
  })),
  formula('gae-gamma-ignored', 'class 30', 'γ is taken for 1', ({ gae }) => ({
    gae: (input) => gae({ ...input, gamma: 1 }),
  })),
  formula('gae-returns-are-advantages', '-', 'the target of the critic is the advantage', ({ gae }) => ({
    gae: (input) => ({ ...gae(input), returns: gae(input).advantages }),
  })),
  formula(
    'returns-over-padding',
    'class 10',
    'rewards of padding are part of the returns',
    ({ monteCarloReturns }) => ({
      monteCarloReturns: (input) => monteCarloReturns({ ...input, mask: ones(input.mask) }),
    }),
  ),
]

const meanOf = (values: Float64Array, mask: Uint8Array): number => {
  const real = Array.from(values).filter((_, slot) => mask[slot] !== 0)
  return real.reduce((sum, value) => sum + value, 0) / Math.max(1, real.length)
}
const groupsOf = (
  rewards: readonly number[],
  size: number,
  change: (group: readonly number[]) => number[],
): Float64Array =>
  Float64Array.from(
    Array.from({ length: Math.ceil(rewards.length / size) }, (_, g) =>
      change(rewards.slice(g * size, (g + 1) * size)),
    ).flat(),
  )

const baselines = [
  formula(
    'whiten-adds-mean-back',
    'L3',
    'whitening scales and adds the mean back where it should shift',
    ({ whiten }) => ({
      whiten: ({ values, mask }) => {
        const mean = meanOf(values, mask)
        return whiten({ values, mask }).map((value, slot) => (mask[slot] === 0 ? 0 : value + mean))
      },
    }),
  ),
  formula('whiten-over-padding', 'class 10', 'mean and variance are taken over padding too', ({ whiten }) => ({
    whiten: ({ values, mask }) =>
      whiten({ values, mask: ones(mask) }).map((value, slot) => (mask[slot] === 0 ? 0 : value)),
  })),
  formula('whiten-polluted', 'class 38', 'excluded values move the mean of the others', ({ whiten }) => ({
    whiten: ({ values, mask }) => {
      const off = meanOf(values, ones(mask)) - meanOf(values, mask)
      return whiten({ values, mask }).map((value, slot) => (mask[slot] === 0 ? 0 : value - off))
    },
  })),
  formula('whiten-not-scaled', 'L4', 'values are centred and not scaled', () => ({
    whiten: ({ values, mask }) => values.map((value, slot) => (mask[slot] === 0 ? 0 : value - meanOf(values, mask))),
  })),
  formula(
    'baseline-includes-own',
    'class 40',
    'the baseline of a completion contains its own reward',
    ({ groupAdvantages }) => ({
      leaveOneOut: (rewards, size) => groupAdvantages(rewards, size, 'none'),
    }),
  ),
  formula(
    'baseline-of-batch',
    'class 40',
    'the baseline is that of the batch, not of the group',
    ({ leaveOneOut }) => ({
      leaveOneOut: (rewards) => leaveOneOut(rewards, Math.max(1, rewards.length)),
    }),
  ),
  formula('group-of-one', 'class 26', 'a completion without others keeps its whole reward', ({ leaveOneOut }) => ({
    leaveOneOut: (rewards, size) => (size === 1 ? Float64Array.from(rewards) : leaveOneOut(rewards, size)),
  })),
  formula('constant-group', 'class 26', 'a group of equal rewards is divided by 0', () => ({
    groupAdvantages: (rewards, size, scale) =>
      groupsOf(rewards, size, (group) => {
        const mean = group.reduce((sum, reward) => sum + reward, 0) / group.length
        const squares = group.reduce((sum, reward) => sum + (reward - mean) ** 2, 0)
        return group.map((reward) => (reward - mean) / (scale === 'std' ? Math.sqrt(squares / (group.length - 1)) : 1))
      }),
  })),
  formula(
    'group-scale-ignored',
    'class 30',
    'advantages are divided by the standard deviation, asked or not',
    ({ groupAdvantages }) => ({
      groupAdvantages: (rewards, size) => groupAdvantages(rewards, size, 'std'),
    }),
  ),
  formula(
    'reinforce-argmax',
    'L14',
    'only the most likely action counts, not the one that was taken',
    ({ reinforceGradient }) => ({
      reinforceGradient: (logits, rewards, baseline) => {
        const best = logits.indexOf(Math.max(...logits))
        return reinforceGradient(
          logits,
          rewards.map((reward, y) => (y === best ? reward : baseline)),
          baseline,
        )
      },
    }),
  ),
  formula('reinforce-sign', 'class 31', 'the gradient descends the reward', ({ reinforceGradient }) => ({
    reinforceGradient: (...given) => reinforceGradient(...given).map((value) => -value),
  })),
  formula(
    'reinforce-baseline-of-action',
    'class 40',
    'the baseline depends on the action',
    ({ reinforceGradient }) => ({
      reinforceGradient: (logits, rewards, baseline) =>
        reinforceGradient(
          logits,
          rewards.map((reward, y) => reward - baseline * y),
          baseline,
        ),
    }),
  ),
]

const surrogates = [
  formula('surrogate-sign', 'class 31', 'the surrogate is maximised as a loss', ({ clippedSurrogate }) => ({
    clippedSurrogate: (...given) => -clippedSurrogate(...given),
  })),
  formula(
    'surrogate-optimistic',
    'class 37',
    'the larger of the two surrogates is kept, not the smaller',
    ({ clippedSurrogate }) => ({
      clippedSurrogate: (logRatio, advantage, clip) => -clippedSurrogate(logRatio, -advantage, clip),
    }),
  ),
  formula('surrogate-unclipped', 'class 30', 'the clip range is read and not applied', ({ clippedSurrogate }) => ({
    clippedSurrogate: (logRatio, advantage) => clippedSurrogate(logRatio, advantage, { low: Infinity, high: Infinity }),
  })),
  formula('surrogate-one-range', 'class 30', 'the upper range is used below too', ({ clippedSurrogate }) => ({
    clippedSurrogate: (logRatio, advantage, { high }) => clippedSurrogate(logRatio, advantage, { low: high, high }),
  })),
  formula(
    'surrogate-normalised-between',
    'class 36',
    'the advantage is normalised between the two surrogates',
    ({ clippedSurrogate }) => ({
      clippedSurrogate: (logRatio, advantage, { low, high }) =>
        Math.max(
          -advantage * Math.exp(logRatio),
          clippedSurrogate(Math.log(Math.min(Math.max(Math.exp(logRatio), 1 - low), 1 + high)), advantage / 2, {
            low: Infinity,
            high: Infinity,
          }),
        ),
    }),
  ),
  formula('surrogate-in-log-space', '-', 'the log of the ratio stands for the ratio', ({ clippedSurrogate }) => ({
    clippedSurrogate: (logRatio, advantage, clip) =>
      clippedSurrogate(Math.log1p(Math.max(logRatio, -0.999)), advantage, clip),
  })),
  formula(
    'dual-clip-of-gains',
    'class 37',
    'the second clip binds for positive advantages',
    ({ dualClip, clippedSurrogate }) => ({
      dualClip: (logRatio, advantage, clip, c) =>
        advantage > 0
          ? Math.max(clippedSurrogate(logRatio, advantage, clip), -advantage / c)
          : dualClip(logRatio, advantage, clip, c),
    }),
  ),
  formula('dual-clip-ignored', 'class 30', 'the second clip is read and not applied', ({ clippedSurrogate }) => ({
    dualClip: (logRatio, advantage, clip) => clippedSurrogate(logRatio, advantage, clip),
  })),
  formula(
    'value-loss-optimistic',
    'class 37',
    'the smaller of the two value losses is kept',
    ({ clippedValueLoss }) => ({
      clippedValueLoss: (value, old, target, range) => {
        const clipped = Math.min(Math.max(value, old - range), old + range)
        const [plain, other] = [value, clipped].map((one) => clippedValueLoss(one, one, target, range))
        return Math.min(plain, other)
      },
    }),
  ),
  formula('value-loss-without-half', '-', 'the value loss is twice what it should be', ({ clippedValueLoss }) => ({
    clippedValueLoss: (...given) => 2 * clippedValueLoss(...given),
  })),
]

const stable = [
  formula('naive-log-sigmoid', 'L18, L25', 'log σ(x) is −log(1 + exp(−x)) without a guard', () => ({
    logSigmoid: (x) => -Math.log(1 + Math.exp(-x)),
  })),
  formula('naive-log-mean-exp', 'L25', 'log mean exp overflows', () => ({
    logMeanExp: (values) => Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0) / values.length),
  })),
  formula('preference-reversed', 'class 37', 'P(a ≻ b) is that of b over a', ({ bradleyTerry }) => ({
    bradleyTerry: (a, b) => bradleyTerry(b, a),
  })),
  formula(
    'preference-scale',
    '-',
    'P(a ≻ b) is not a sigmoid of the difference: 1 is added to a reward',
    ({ bradleyTerry }) => ({
      bradleyTerry: (a, b) => bradleyTerry(a + 1, b),
    }),
  ),
]

export const formulas = mutantsOf<Formulas>({
  subject: 'formulas of the field',
  right: ownFormulas,
  suite: (formulas, name) => lawsOfFormulas({ name, formulas }),
  mutations: [...kl, ...gae, ...baselines, ...surrogates, ...stable],
})
