import type { Objective } from '@collimate/core'
import type { Tensor } from '@collimate/graph'
import type { Arbitrary } from 'fast-check'
import { near, require } from '../law.js'
import { examplesOf, showExamples, type ExampleCase, type ExampleLimits, type ExampleShape } from './example.js'
import { judgeOf, type Judge, type Judgement } from './judge.js'

/** An objective under judgement, with what its laws are written in. */
export interface Subject {
  readonly objective: Objective<Tensor>
  readonly kind: 'pairs' | 'tokens' | 'sequences'
  readonly judge: Judge
  readonly shape: ExampleShape
  examples(limits?: ExampleLimits): Arbitrary<readonly ExampleCase[]>
  show(examples: readonly ExampleCase[]): string
}

export function subjectOf(
  objective: Objective<Tensor>,
  kind: Subject['kind'],
  inputs: ExampleShape['inputs'] = {},
): Subject {
  const shape: ExampleShape = { objective, sequences: kind === 'pairs' ? 2 : 1, inputs }
  const names = [...objective.outputs, ...Object.keys(objective.inputs)]
  return {
    objective,
    kind,
    judge: judgeOf(objective),
    shape,
    examples: (limits) => examplesOf(shape, limits),
    show: (examples) => showExamples(examples, names),
  }
}

/** Throws unless loss, gradient and metrics agree. */
export function sameJudgement(actual: Judgement, expected: Judgement, tolerance: number): void {
  near(actual.loss, expected.loss, tolerance, 'the loss')
  sameGradient(actual, expected, tolerance)
  for (const [name, { sum, count }] of Object.entries(expected.metrics)) {
    near(actual.metrics[name].count, count, 0, `the count of ${name}`)
    near(actual.metrics[name].sum, sum, tolerance, `the sum of ${name}`)
  }
}

export function sameGradient(actual: Judgement, expected: Judgement, tolerance: number): void {
  for (const [output, values] of Object.entries(expected.gradient)) {
    const found = actual.gradient[output as keyof Judgement['gradient']] ?? []
    require(found.length === values.length, `the gradient by ${output} has ${found.length} parts, not ${values.length}`)
    values.forEach((value, i) => near(found[i], value, tolerance, `the gradient by ${output} ${i}`))
  }
}

export function finiteJudgement({ loss, gradient, metrics }: Judgement): void {
  require(Number.isFinite(loss), `the loss is ${loss}`)
  for (const [output, values] of Object.entries(gradient))
    values.forEach((value, i) => require(Number.isFinite(value), `the gradient by ${output} ${i} is ${value}`))
  for (const [name, { sum }] of Object.entries(metrics)) require(Number.isFinite(sum), `the sum of ${name} is ${sum}`)
}
