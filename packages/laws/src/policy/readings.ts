import type { ForestBatch, ModelOutput } from '@collimate/core'
import { require, Violation } from '../law.js'
import type { SmoothOutput } from './objectives.js'
import { sameNumbers, type Opened } from './subject.js'

/** Numbers of the units of a batch that are real, by output, in the order of tokens or sequences. */
export type Readings = ReadonlyMap<ModelOutput, readonly number[]>

/** [T] or [N] 1 for the units of an output that are real. */
const maskOf = (batch: ForestBatch, name: ModelOutput): Float32Array =>
  name === 'scores' ? batch.sequenceMask : batch.tokenMask

/** Those of the real units; a violation where the length is another, or padding holds anything but 0. */
function realOf(batch: ForestBatch, name: ModelOutput, values: ArrayLike<number> | undefined): number[] {
  if (values === undefined) throw new Violation(`the output ${name} was asked for and is not there`)
  const mask = maskOf(batch, name)
  require(values.length ===
    mask.length, `${name} has ${values.length} values for ${mask.length} ${name === 'scores' ? 'sequences' : 'scored tokens'}`)
  return Array.from(values).filter((value, at) => {
    if (mask[at] > 0.5) return true
    require(value === 0, `${name}[${at}] is ${value} at padding, where it must be 0`)
    return false
  })
}

/** Log-probabilities, values and scores, those that the model has. */
export async function readings({ policy, smooth }: Opened, batch: ForestBatch): Promise<Readings> {
  const found = new Map<SmoothOutput, number[]>()
  if (smooth.includes('logProbs')) found.set('logProbs', realOf(batch, 'logProbs', await policy.logProbs({ batch })))
  const others = smooth.filter((name) => name !== 'logProbs')
  const outputs = others.length > 0 ? await policy.outputs({ batch, names: others }) : {}
  for (const name of others) found.set(name, realOf(batch, name, outputs[name]))
  return found
}

/** All outputs that the model says it has. */
export async function allReadings({ policy, about }: Opened, batch: ForestBatch): Promise<Readings> {
  const outputs = await policy.outputs({ batch, names: about.outputs })
  return new Map(about.outputs.map((name) => [name, realOf(batch, name, outputs[name])]))
}

/** Throws unless the same is read of both. */
export function sameReadings(actual: Readings, expected: Readings, tolerance: number, what = ''): void {
  for (const [name, values] of expected)
    sameNumbers(actual.get(name) ?? [], values, tolerance, `${termOf(name)}${what && ` ${what}`}`)
}

/** Readings of several batches behind each other. */
export function joined(parts: readonly Readings[]): Readings {
  const names = new Set(parts.flatMap((part) => [...part.keys()]))
  return new Map([...names].map((name) => [name, parts.flatMap((part) => part.get(name) ?? [])]))
}

/** Those per token. */
export const perToken = (all: Readings): Readings => new Map([...all].filter(([name]) => name !== 'scores'))

const termOf = (name: ModelOutput): string => (name === 'logProbs' ? 'log π' : name)
