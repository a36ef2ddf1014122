import type { RewardReply, RewardSource, Scorable } from '@collimate/core'
import { lawsOfRewardSource } from '@collimate/laws'
import { mutantsOf } from './mutant.js'

type CreateReward = () => RewardSource

/** What the score of the rule below is made of, and what each part counts. */
const parts = (rollouts: readonly Scorable[]) => ({
  letters: Float64Array.from(
    rollouts,
    ({ prompt, completion }) => [...completion.text].filter((letter) => prompt.text.includes(letter)).length,
  ),
  tokens: Float64Array.from(rollouts, ({ completion }) => completion.ids.length),
})
const weights = { letters: 1, tokens: -1 / 8 }

/** A rule: letters of the completion that stand in its prompt, less an eighth of its tokens. */
const right: CreateReward = () => ({
  async score({ rollouts }) {
    const { letters, tokens } = parts(rollouts)
    const scores = rollouts.map((_, i) => Float64Array.of(letters[i] - tokens[i] / 8))
    return { granularity: 'sequence', scores, parts: { letters, tokens } }
  },
  close: async () => undefined,
})

/** The same reward per step: two steps of a completion that has two tokens, of which the last has the reward. */
const stepping =
  (ends: (length: number) => number[]) =>
  (create: CreateReward): CreateReward =>
    scoring((reply, rollouts) => {
      const stepEnds = rollouts.map(({ completion: { ids } }) =>
        Int32Array.from(ids.length === 0 ? [] : ends(ids.length)),
      )
      const scores = stepEnds.map((own, i) =>
        own.length > 0
          ? Float64Array.from(own, (_, at) => (at === own.length - 1 ? reply.scores[i][0] : 0))
          : new Float64Array(),
      )
      return { granularity: 'step', scores, stepEnds }
    })(create)

const scoring =
  (change: (reply: RewardReply, rollouts: readonly Scorable[]) => RewardReply) =>
  (create: CreateReward): CreateReward =>
  () => {
    const source = create()
    return { ...source, score: async (request) => change(await source.score(request), request.rollouts) }
  }

const values = ({ scores }: RewardReply): number[] => scores.map(([score]) => score)
const replied = (reply: RewardReply, scores: readonly number[]): RewardReply => ({
  ...reply,
  scores: scores.map((score) => Float64Array.of(score)),
})

export const rewards = mutantsOf<CreateReward>({
  subject: 'a rule as reward source',
  right,
  suite: (create, name) => lawsOfRewardSource({ name, create: async () => create(), weights }),
  mutations: [
    {
      id: 'reward-centred-by-batch',
      defect: 'class 38',
      what: 'the mean of the batch is subtracted, so that a score depends on its batch-mates',
      wrong: scoring((reply) => {
        const scores = values(reply)
        const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length)
        return replied(
          reply,
          scores.map((score) => score - mean),
        )
      }),
    },
    {
      id: 'reward-sorted-by-length',
      defect: 'class 12',
      what: 'rollouts are scored in the order of their lengths, and the replies are not put back',
      wrong: (create) => () => {
        const source = create()
        return {
          ...source,
          score: ({ rollouts }) =>
            source.score({ rollouts: [...rollouts].sort((a, b) => a.completion.ids.length - b.completion.ids.length) }),
        }
      },
    },
    {
      id: 'reward-of-padded-row',
      defect: 'class 12',
      what: 'the score is read behind the padding: it depends on the longest completion of the batch',
      wrong: scoring((reply, rollouts) => {
        const longest = Math.max(0, ...rollouts.map(({ completion }) => completion.ids.length))
        return replied(
          reply,
          values(reply).map((score) => score - longest),
        )
      }),
    },
    {
      id: 'reward-drops-last',
      defect: 'class 25',
      what: 'the last rollout of an odd batch has no score',
      wrong: scoring((reply, rollouts) =>
        rollouts.length % 2 === 0 ? reply : { ...reply, scores: reply.scores.slice(0, -1) },
      ),
    },
    {
      id: 'reward-not-finite',
      defect: 'class 9',
      what: 'an empty completion scores NaN',
      wrong: scoring((reply, rollouts) =>
        replied(
          reply,
          values(reply).map((score, at) => (rollouts[at].completion.text === '' ? NaN : score)),
        ),
      ),
    },
    {
      id: 'reward-remembers',
      defect: '-',
      what: 'the score of a completion changes each time that it is asked for',
      wrong: (create) => {
        let asked = 0
        return scoring((reply) =>
          replied(
            reply,
            values(reply).map((score) => score + asked++),
          ),
        )(create)
      },
    },
    {
      id: 'reward-per-token-as-sequence',
      defect: 'class 5',
      what: 'scores per token are declared as one per completion',
      wrong: scoring((reply, rollouts) => ({
        ...reply,
        scores: values(reply).map((score, at) => new Float64Array(rollouts[at].completion.ids.length + 1).fill(score)),
      })),
    },
    {
      id: 'reward-part-not-told',
      defect: '-',
      what: 'a part that counts in the score is not among the parts that are logged',
      wrong: scoring(({ parts: { letters } = {}, ...reply }) => ({ ...reply, parts: { letters } })),
    },
    {
      id: 'reward-part-weighted',
      defect: '-',
      what: 'a part is logged with its weight already in it',
      wrong: scoring(({ parts: { letters, tokens } = {}, ...reply }) => ({
        ...reply,
        parts: { letters, tokens: tokens.map((count) => -count / 8) },
      })),
    },
    {
      id: 'reward-step-behind-its-end',
      defect: 'class 5',
      what: 'the reward of a step stands at the token behind its last one',
      wrong: stepping((length) => (length < 2 ? [length] : [length >> 1, length])),
    },
    {
      id: 'reward-steps-at-one-token',
      defect: 'class 5',
      what: 'all steps end where the completion ends',
      wrong: stepping((length) => (length < 2 ? [length - 1] : [length - 1, length - 1])),
    },
  ],
})
