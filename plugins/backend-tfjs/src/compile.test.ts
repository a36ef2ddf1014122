import { broadcastTo, fill, input, matmul, mul, type Program, program, reshape, scatterAdd } from '@collimate/graph'
import { expect, test } from 'vitest'
import { compileProgram } from './compile.js'
import type { Step } from './compiled.js'

const kernels = (steps: readonly Step[]) => steps.flatMap((step) => ('kernel' in step ? [step.kernel] : []))
const onWasm = (made: Program, frozen: readonly string[] = []) =>
  compileProgram(
    made,
    new Map(frozen.map((name) => [name, 'set'])),
    () => new Map(made.inputs.map((one) => [one.name, one])),
    'wasm',
  )

test('what depends on frozen states alone is computed once', () => {
  const [x, w] = [input('x', [64, 64]), input('w', [64, 64], 'float', 'state')]
  const made = program({ name: 'head', outputs: { y: matmul(x, w, { transposeB: true }) } })
  expect(kernels(onWasm(made).steps)).toContain('Transpose')
  const { setup, steps } = onWasm(made, ['w'])
  expect(kernels(setup)).toContain('Transpose')
  expect(kernels(steps)).not.toContain('Transpose')
})

test('rows that are scattered move as rows: the repeated index is never made', () => {
  const [index, rows] = [input('index', [5], 'int'), input('rows', [5, 8])]
  const repeated = broadcastTo(reshape(index, [5, 1]), [5, 8])
  const made = program({ name: 'embedding', outputs: { y: scatterAdd(fill(0, [3, 8]), repeated, rows, 0) } })
  const { steps } = onWasm(made)
  expect(kernels(steps)).toEqual(['Reshape', 'ScatterNd'])
  expect(steps.some((step) => 'check' in step)).toBe(true)
})

test('equal calls are made once, and every tensor of a run but its results is freed', () => {
  const x = input('x', [8, 4])
  const made = program({
    name: 'twice',
    outputs: { y: mul(reshape(x, [32]), reshape(mul(x, x), [32])), z: mul(x, x) },
    simplify: false,
  })
  const { steps, outputs, inputs } = onWasm(made)
  expect(kernels(steps).filter((kernel) => kernel === 'Multiply')).toHaveLength(2)
  const created = [
    ...inputs.map(({ slot }) => slot),
    ...steps.flatMap((step) => ('output' in step ? [step.output] : [])),
  ]
  const freed = steps.flatMap((step) => step.frees)
  expect(new Set(freed).size).toBe(freed.length)
  expect([...freed, ...outputs.map(({ slot }) => slot)].sort()).toEqual([...created].sort())
})
