import { CollimateError, type Estimator, type EstimatorRequest } from '@collimate/core'
import { monteCarloReturns } from '../formulas/gae.js'
import { groupAdvantages, leaveOneOut } from '../formulas/groups.js'

/** The total rewards that the advantages of a group are made of. */
export interface Totals {
  /** Of the completions of one prompt that have a real token; at least one. */
  readonly group: readonly number[]
  /** Of all completions of the batch that have one. */
  readonly batch: readonly number[]
  /** Moving mean of earlier ones; 0 where there were none. */
  readonly earlier: number
}

/** The advantages of the completions of a group. */
export type Baseline = (totals: Totals) => ArrayLike<number>

/** Baselines of whole completions, made of the laws' own formulas. */
export const baselines = {
  'no-baseline': ({ group }) => group,
  'moving-average': ({ group, earlier }) => group.map((reward) => reward - earlier),
  'leave-one-out': ({ group }) => leaveOneOut(group, group.length),
  'group-mean': ({ group }) => groupAdvantages(group, group.length, 'none'),
  'group-std': ({ group }) => groupAdvantages(group, group.length, 'std'),
  'batch-std': ({ group, batch }) =>
    groupAdvantages(group, group.length, 'none').map((value) => value / (deviation(batch) + 1e-4)),
} as const satisfies Record<string, Baseline>

export type BaselineName = keyof typeof baselines

const comparing: readonly BaselineName[] = ['leave-one-out', 'group-mean', 'group-std', 'batch-std']

/** An estimator of whole completions made of the laws' own formulas: what laws give to a trainer that needs one. */
export function baselineEstimator(
  name: BaselineName,
  { normalized = false }: { readonly normalized?: boolean } = {},
): Estimator {
  return {
    async estimate(request) {
      if (comparing.includes(name) && (request.groupSize ?? 1) < 2)
        throw new CollimateError('COLLIMATE_ESTIMATE_INVALID', 'groups of one have nothing to compare')
      const perRow = advantagesOfRows(request, baselines[name])
      return {
        advantages: perSlot(request, normalized ? normalise(perRow) : perRow),
        returns: monteCarloReturns({ ...request, gamma: 1 }),
      }
    },
  }
}

/** The rows that have a real token: which slot is the first, and the sum of their rewards. */
export function realRows({ rows, width, mask, rewards }: EstimatorRequest) {
  return Array.from({ length: rows }, (_, row) => row).flatMap((row) => {
    const slots = Array.from({ length: width }, (_, column) => row * width + column).filter((slot) => mask[slot] !== 0)
    const total = sum(slots.map((slot) => rewards[slot]))
    return slots.length === 0 ? [] : [{ row, first: slots[0], total }]
  })
}

/** The advantage of each row that has a real token. */
export function advantagesOfRows(request: EstimatorRequest, of: Baseline): Map<number, number> {
  const { groupSize = 1, meanReward: earlier = 0 } = request
  const real = realRows(request)
  const batch = real.map(({ total }) => total)
  const found = new Map<number, number>()
  for (let start = 0; start < request.rows; start += groupSize) {
    const members = real.filter(({ row }) => row >= start && row < start + groupSize)
    if (members.length === 0) continue
    const advantages = of({ group: members.map(({ total }) => total), batch, earlier })
    members.forEach(({ row }, at) => found.set(row, advantages[at]))
  }
  return found
}

/** (A − mean) / (sd + 1e-4) over the completions, as TRL's RLOO. */
export function normalise(advantages: ReadonlyMap<number, number>): Map<number, number> {
  const values = [...advantages.values()]
  const [mean, scale] = [sum(values) / values.length, deviation(values) + 1e-4]
  return new Map([...advantages].map(([row, value]) => [row, (value - mean) / scale]))
}

/** [rows · width] the number of its row for each real slot, 0 elsewhere. */
export const perSlot = ({ width, mask }: EstimatorRequest, perRow: ReadonlyMap<number, number>): Float64Array =>
  Float64Array.from(mask, (bit, slot) => (bit === 0 ? 0 : (perRow.get(Math.floor(slot / width)) ?? 0)))

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** With Bessel's correction; 0 for fewer than two. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0
  const mean = sum(values) / values.length
  return Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1))
}
