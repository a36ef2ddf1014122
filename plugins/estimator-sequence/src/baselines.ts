import { EPSILON, mean, standardDeviation, sum } from './statistics.js'

/** What a baseline knows of the rewards of a batch. */
export interface Rewards {
  /** Of the completions of one prompt. */
  readonly group: readonly number[]
  /** Of all completions of the batch. */
  readonly batch: readonly number[]
  /** Moving mean of earlier batches; 0 where there were none. */
  readonly earlier: number
}

/** A baseline gives the advantages of a group. */
interface Baseline {
  /** Compares the completions of a prompt, so that there must be two of them. */
  readonly compares: boolean
  advantages(rewards: Rewards): readonly number[]
}

const centred = (group: readonly number[]): readonly number[] => {
  const centre = mean(group)
  return group.map((reward) => reward - centre)
}

/** Baselines by name: R_i is the total reward of completion i, K the size of its group. */
export const baselines = {
  /** A = R: Williams 1992, without a baseline. */
  none: { compares: false, advantages: ({ group }) => group },

  /** A = R − m, m the moving mean of earlier batches: it does not depend on the present samples, so it biases nothing. */
  'moving-average': {
    compares: false,
    advantages: ({ group, earlier }) => group.map((reward) => reward - earlier),
  },

  /** A_i = R_i − mean of the others of its group, RLOO: Ahmadian et al., arXiv 2402.14740, section 3.2; 0 without others. */
  'leave-one-out': {
    compares: true,
    advantages: ({ group }) => {
      const total = sum(group)
      return group.map((reward) => (group.length < 2 ? 0 : reward - (total - reward) / (group.length - 1)))
    },
  },

  /** A_i = R_i − mean of its group, Dr. GRPO: arXiv 2503.20783; (K − 1)/K of leave-one-out. */
  'group-mean': { compares: true, advantages: ({ group }) => centred(group) },

  /** A_i = (R_i − mean) / (sd + 10⁻⁴) of its group, GRPO: arXiv 2402.03300, section 4.1.1. */
  'group-std': {
    compares: true,
    advantages: ({ group }) => {
      const scale = standardDeviation(group) + EPSILON
      return centred(group).map((value) => value / scale)
    },
  },

  /** A_i = (R_i − mean of its group) / (sd of the batch + 10⁻⁴): arXiv 2508.08221; TRL's `scale_rewards: batch`. */
  'batch-std': {
    compares: true,
    advantages: ({ group, batch }) => {
      const scale = standardDeviation(batch) + EPSILON
      return centred(group).map((value) => value / scale)
    },
  },
} as const satisfies Record<string, Baseline>

export type BaselineName = keyof typeof baselines
export const baselineNames = Object.keys(baselines) as [BaselineName, ...BaselineName[]]
