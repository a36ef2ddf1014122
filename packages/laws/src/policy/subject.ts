import type {
  ForestBatch,
  ModelDescription,
  ModelOutput,
  ModelSnapshot,
  Objective,
  ObjectiveUse,
  Policy,
} from '@collimate/core'
import type { UpdateReport, UpdateRequest } from '@collimate/core'
import { forestBatch } from '@collimate/data'
import { Violation } from '../law.js'
import type { Claims } from '../suite.js'
import { exampleOf } from '../world/distribution-of.js'
import { lawObjectives, objectivesOver, smoothOutputs, type LawObjectives, type SmoothOutput } from './objectives.js'

/** What the laws of a policy are checked on. */
export interface PolicySubject {
  readonly name: string
  /**
   * Makes the policy, the same one each time: a small one, with a vocabulary of at most 32 tokens or so. `objectives` is
   * what the policy asks for the objectives of an update: the laws bring their own.
   */
  readonly create: (objectives: (use: ObjectiveUse) => Promise<Objective>) => Promise<Policy>
  /** Relative error that its precision allows: 1e-9 for float64, 2e-5 for float32. */
  readonly tolerance: number
  /** Capabilities of the manifest; default `generate` and `update`. */
  readonly claims?: Claims
  /** What the model says that it has (`ModelDescription.outputs`); default the outputs of a language model. */
  readonly outputs?: readonly ModelOutput[]
}

/** The policy under test, opened by the first law that needs it; laws leave it as they found it. */
export interface Opened {
  readonly policy: Policy
  readonly about: ModelDescription
  /** The outputs that laws compare: those that a loss can be made of. */
  readonly smooth: readonly SmoothOutput[]
  /** Objectives that read all of them. */
  readonly objectives: LawObjectives
  /** The state that every law begins with: trained a little, so that no distribution is uniform. */
  readonly start: ModelSnapshot | undefined
}

export interface Subject extends PolicySubject {
  open(): Promise<Opened>
  /** A second policy, made as the first; for state that one leaves to another. */
  twin(): Promise<Policy>
  /** Sizes once they are known, for messages. */
  size(): { readonly vocabularySize: number; readonly contextLength: number } | undefined
  /** Runs on the policy in its start state, and puts that back. */
  using<Result>(work: (opened: Opened) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

export function subjectOf(given: PolicySubject): Subject {
  const created: Promise<Policy>[] = []
  const make = (): Promise<Policy> => {
    const policy = given.create(lawObjectives)
    created.push(policy)
    return policy
  }
  let size: ReturnType<Subject['size']>
  let opened: Promise<Opened> | undefined
  let second: Promise<Policy> | undefined
  const trains = given.claims === undefined || given.claims.update === true

  async function openFirst(): Promise<Opened> {
    const policy = await make()
    const about = await policy.describe()
    size = about
    const objectives = objectivesOver(about.outputs)
    const opening = { policy, objectives, smooth: smoothOutputs(about.outputs) }
    if (!trains) return { ...opening, about, start: undefined }
    await warmUp(policy, about, objectives)
    return { ...opening, about: await policy.describe(), start: await policy.snapshot() }
  }
  const open = (): Promise<Opened> => (opened ??= openFirst())

  return {
    ...given,
    open,
    twin: () => (second ??= make()),
    size: () => size,
    async using(work) {
      const subject = await open()
      try {
        return await work(subject)
      } finally {
        if (subject.start) await subject.policy.restore({ snapshot: subject.start })
      }
    },
    async close() {
      for (const policy of created) await (await policy.catch(() => undefined))?.close()
    },
  }
}

/** Some steps that move a fresh model away from uniform. */
async function warmUp(
  policy: Policy,
  { vocabularySize, contextLength }: ModelDescription,
  { weighted }: LawObjectives,
): Promise<void> {
  const examples = Array.from({ length: 8 }, (_, row) => {
    const token = (column: number): number => (7 * row + 3 * column * column + column) % vocabularySize
    const tokens = Array.from({ length: Math.min(6, contextLength) }, (_unused, column) => token(column))
    return exampleOf(row, tokens.slice(0, 1), [tokens.slice(1)])
  })
  const batch = forestBatch(examples)
  const weights = Float64Array.from(batch.tokenMask, (mask, t) => mask * (1 + (t % 3)))
  for (let step = 0; step < 4; step++)
    await policy.update({
      ...descent,
      learningRate: 0.05,
      objective: weighted,
      batches: [{ ...batch, inputs: { weights } }],
    })
}

/** Settings of an update; laws replace what they are about. */
export const descent = {
  optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  learningRate: 0.01,
  maxGradNorm: 0,
  metrics: true,
} as const satisfies Partial<UpdateRequest>

/** A gradient by the name of its tensor. */
export type Gradient = ReadonlyMap<string, ArrayLike<number>>

/**
 * The gradient of a loss, read through the contract: with β1 = 0 the first moment of AdamW is the gradient, and with
 * learning rate 0 nothing else moves.
 */
export async function gradientOf(
  policy: Policy,
  objective: ObjectiveUse,
  batches: readonly ForestBatch[],
  temperature = 1,
): Promise<{ report: UpdateReport; gradient: Gradient }> {
  const before = await policy.snapshot()
  try {
    const optimizer = { ...descent.optimizer, beta1: 0 }
    const report = await policy.update({ ...descent, objective, batches, optimizer, learningRate: 0, temperature })
    const { tensors } = await policy.snapshot()
    const moments = Object.entries(tensors).filter(([name]) => name.startsWith('adam.m.'))
    if (moments.length === 0) throw new Violation('the snapshot after an update holds no first moments adam.m.NAME')
    return {
      report,
      gradient: new Map(moments.map(([name, { data }]) => [name.slice('adam.m.'.length), data])),
    }
  } finally {
    await policy.restore({ snapshot: before })
  }
}

/** Throws unless both agree within the tolerance, relative to the largest number. */
export function sameNumbers(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  if (actual.length !== expected.length)
    throw new Violation(`${what} has ${actual.length} values, the law says ${expected.length}`)
  const scale = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  for (let i = 0; i < expected.length; i++)
    if (!(Math.abs(actual[i] - expected[i]) <= tolerance * scale))
      throw new Violation(`${what}[${i}] is ${actual[i]}, the law says ${expected[i]}`)
}

/** Throws unless two gradients agree, relative to the largest derivative; sums in another order round differently. */
export function sameGradient(actual: Gradient, expected: Gradient, tolerance: number): void {
  const most = [...expected.values()].reduce(
    (largest, data) => Array.from(data).reduce((a, b) => Math.max(a, Math.abs(b)), largest),
    1e-3,
  )
  for (const [name, data] of expected) {
    const other = actual.get(name)
    if (other === undefined) throw new Violation(`there is no gradient of ${name}`)
    for (let i = 0; i < data.length; i++)
      if (!(Math.abs(other[i] - data[i]) <= 10 * tolerance * most))
        throw new Violation(`the derivative by ${name}[${i}] is ${other[i]}, the law says ${data[i]}`)
  }
}

/** The bits of a snapshot's tensors, by name. */
export function bitsOf({ tensors }: ModelSnapshot): Map<string, string> {
  return new Map(
    Object.entries(tensors).map(([name, { data }]) => {
      return [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')]
    }),
  )
}

/** Throws unless two snapshots hold the same bits. */
export function sameBits(actual: ModelSnapshot, expected: ModelSnapshot, what: string): void {
  const [mine, theirs] = [bitsOf(actual), bitsOf(expected)]
  for (const [name, bits] of theirs)
    if (mine.get(name) !== bits) throw new Violation(`${what}: ${name} ${mine.has(name) ? 'differs' : 'is missing'}`)
  for (const field of ['version', 'optimizerSteps'] as const)
    if (actual[field] !== expected[field])
      throw new Violation(`${what}: ${field} is ${actual[field]}, not ${expected[field]}`)
  const [scale, theirScale] = [actual, expected].map(({ lossScale }) => JSON.stringify(lossScale))
  if (scale !== theirScale) throw new Violation(`${what}: lossScale is ${scale}, not ${theirScale}`)
}
