import type { ObjectiveTensors } from '@collimate/core'
import { constant, evaluate, fill, gradients, input } from '@collimate/graph'
import type { Tensor } from '@collimate/graph'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sftObjective } from './objective.js'

const size = 5
const logProbs = input('logProbs', [size])
const zeros = fill(0, [size])
const tensors: ObjectiveTensors<Tensor> = {
  logProbs,
  entropy: constant([1, 2, 3, 4, 5]),
  correct: constant([1, 0, 0, 1, 0]),
  meanLogits: zeros,
  values: zeros,
  scores: zeros,
  tokenMask: fill(1, [size]),
  sequenceMask: fill(1, [size]),
  sequences: constant(Int32Array.of(0, 0, 1, 1, 1)),
  inputs: {},
  sumBySequence: () => zeros,
}

it('is −log p of every token, with derivative −1, whatever sequence it belongs to', () => {
  const [term, ...others] = sftObjective.terms(tensors)
  expect(others).toEqual([])
  expect(term.unit).toBe('tokens')
  const [gradient] = gradients(term.perUnit, [logProbs], fill(1, [size]))
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e4, max: 0, noNaN: true }), { minLength: size, maxLength: size }),
      (values) => {
        const [loss, derivative] = evaluate([term.perUnit, gradient], { logProbs: Float64Array.from(values) })
        expect(Array.from(loss.data)).toEqual(values.map((value) => -value))
        expect(Array.from(derivative.data)).toEqual(values.map(() => -1))
      },
    ),
  )
})

it('reads log-probs alone, needs no inputs and may be split', () => {
  expect(sftObjective).toMatchObject({ outputs: ['logProbs'], inputs: {}, coupled: false })
})

it('names its metrics as TRL does', () => {
  const metrics = sftObjective.metrics(tensors)
  expect(Object.keys(metrics)).toEqual(['entropy', 'mean_token_accuracy'])
  expect(metrics.entropy).toEqual({ perUnit: tensors.entropy, unit: 'tokens' })
  expect(metrics.mean_token_accuracy).toEqual({ perUnit: tensors.correct, unit: 'tokens' })
})
