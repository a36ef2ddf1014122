import type { Kernel, KernelNode, VectorOp } from './kernel.js'

/**
 * Writes the WebAssembly module of a kernel (https://webassembly.github.io/spec/core/binary).
 *
 * It imports the memory `state.memory` and exports `run(count, ...addresses, ...scalars)`, which returns the sum where
 * the kernel has one. Addresses are multiples of 16 and buffers are padded to 16 bytes: the last block of four may reach
 * into the padding, whose values nobody reads; in a sum those lanes count as zero.
 */
export function encodeKernel(kernel: Kernel): Uint8Array<ArrayBuffer> {
  const parameters = [i32, ...Array<number>(kernel.pointers).fill(i32), ...Array<number>(kernel.scalars).fill(f32)]
  const type = [
    0x60,
    ...vector(parameters.map((parameter) => [parameter])),
    ...vector(kernel.sum === undefined ? [] : [[f64]]),
  ]
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [type]),
    ...section(2, [[...name('state'), ...name('memory'), 0x02, 0x00, 0x00]]),
    ...section(3, [[0x00]]),
    ...section(7, [[...name('run'), 0x00, 0x00]]),
    ...section(10, [sized(body(kernel))]),
  ])
}

const i32 = 0x7f
const f32 = 0x7d
const f64 = 0x7c
const v128 = 0x7b

const localGet = (index: number) => [0x20, ...unsigned(index)]
const localSet = (index: number) => [0x21, ...unsigned(index)]
const simd = (opcode: number) => [0xfd, ...unsigned(opcode)]
const i32Const = (value: number) => [0x41, value]
const i32Add = [0x6a]

const load = [...simd(0x00), 0x04, 0x00]
const store = [...simd(0x0b), 0x04, 0x00]
const splatInteger = simd(0x11)
const splatFloat = simd(0x13)
const maskAnd = simd(0x4e)
const subtract = simd(0xe5)
const divide = simd(0xe7)
const less = simd(0x43)
const greater = simd(0x44)
const zero = [...simd(0x0c), ...Array<number>(16).fill(0)]
const one = [...simd(0x0c), ...[1, 2, 3, 4].flatMap(() => [0x00, 0x00, 0x80, 0x3f])]
const laneNumbers = [...simd(0x0c), ...[0, 1, 2, 3].flatMap((lane) => [lane, 0, 0, 0])]
/** Lanes 2 and 3 moved to 0 and 1. */
const upperHalf = [...localBytes([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15])]
const widen = simd(0x5f)
const addWide = simd(0xf0)

function localBytes(lanes: number[]): number[] {
  return [...simd(0x0d), ...lanes]
}

/** The instructions of an op, given those that push each operand. */
const instructions: Record<VectorOp, (x: number[], y: number[], z: number[]) => number[]> = {
  add: (x, y) => [...x, ...y, ...simd(0xe4)],
  sub: (x, y) => [...x, ...y, ...subtract],
  mul: (x, y) => [...x, ...y, ...simd(0xe6)],
  div: (x, y) => [...x, ...y, ...divide],
  minimum: (x, y) => [...x, ...y, ...simd(0xe8)],
  maximum: (x, y) => [...x, ...y, ...simd(0xe9)],
  neg: (x) => [...x, ...simd(0xe1)],
  abs: (x) => [...x, ...simd(0xe0)],
  sqrt: (x) => [...x, ...simd(0xe3)],
  rsqrt: (x) => [...one, ...x, ...simd(0xe3), ...divide],
  reciprocal: (x) => [...one, ...x, ...divide],
  square: (x) => [...x, ...x, ...simd(0xe6)],
  sign: (x) => [...x, ...zero, ...greater, ...one, ...maskAnd, ...x, ...zero, ...less, ...one, ...maskAnd, ...subtract],
  relu: (x) => [...x, ...zero, ...simd(0xe9)],
  equal: (x, y) => [...x, ...y, ...simd(0x41)],
  notEqual: (x, y) => [...x, ...y, ...simd(0x42)],
  less: (x, y) => [...x, ...y, ...less],
  greater: (x, y) => [...x, ...y, ...greater],
  lessEqual: (x, y) => [...x, ...y, ...simd(0x45)],
  greaterEqual: (x, y) => [...x, ...y, ...simd(0x46)],
  and: (x, y) => [...x, ...y, ...maskAnd],
  or: (x, y) => [...x, ...y, ...simd(0x50)],
  not: (x) => [...x, ...simd(0x4d)],
  where: (condition, x, y) => [...x, ...y, ...condition, ...simd(0x52)],
}

function body(kernel: Kernel): number[] {
  const count = 0
  const address = (pointer: number) => 1 + pointer
  const scalar = (index: number) => 1 + kernel.pointers + index
  const offset = 1 + kernel.pointers + kernel.scalars
  const value = (node: number) => offset + 1 + node
  const lower = value(kernel.nodes.length)
  const upper = lower + 1

  const at = (pointer: number) => [...localGet(address(pointer)), ...localGet(offset), ...i32Add]
  const compute = (node: KernelNode): number[] => {
    if (node.op === 'load') return [...at(node.pointer), ...load]
    if (node.op === 'scalar') return [...localGet(scalar(node.scalar)), ...splatFloat]
    const [x = [], y = [], z = []] = node.inputs.map((input) => localGet(value(input)))
    return instructions[node.op](x, y, z)
  }
  const assign = (wanted: boolean) =>
    kernel.nodes.flatMap((node, index) =>
      (node.op === 'scalar') === wanted ? [...compute(node), ...localSet(value(index))] : [],
    )

  const accumulate = (sum: number): number[] => {
    const lane = [...laneNumbers, ...localGet(offset), ...i32Const(2), 0x76, ...splatInteger, ...simd(0xae)]
    const inside = [...lane, ...localGet(count), ...splatInteger, ...simd(0x39)]
    const add = (accumulator: number, half: number[]) => [
      ...localGet(accumulator),
      ...half,
      ...widen,
      ...addWide,
      ...localSet(accumulator),
    ]
    const masked = localGet(value(sum))
    return [
      ...masked,
      ...inside,
      ...maskAnd,
      ...localSet(value(sum)),
      ...add(lower, masked),
      ...add(upper, [...masked, ...masked, ...upperHalf]),
    ]
  }
  const total = [...localGet(lower), ...localGet(upper), ...addWide, ...localSet(lower)]
  const lanes = [0, 1].map((lane) => [...localGet(lower), ...simd(0x21), lane])

  const loop = [
    ...[...localGet(offset), ...localGet(count), ...i32Const(2), 0x74, 0x4f, 0x0d, 0x01],
    ...assign(false),
    ...kernel.stores.flatMap(({ node, pointer }) => [...at(pointer), ...localGet(value(node)), ...store]),
    ...(kernel.sum === undefined ? [] : accumulate(kernel.sum)),
    ...[...localGet(offset), ...i32Const(16), ...i32Add, ...localSet(offset), 0x0c, 0x00],
  ]
  return [
    ...vector([
      [1, i32],
      [...unsigned(kernel.nodes.length + 2), v128],
    ]),
    ...assign(true),
    ...[0x02, 0x40, 0x03, 0x40, ...loop, 0x0b, 0x0b],
    ...(kernel.sum === undefined ? [] : [...total, ...lanes.flat(), 0xa0]),
    0x0b,
  ]
}

function unsigned(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}
const vector = (items: number[][]): number[] => [...unsigned(items.length), ...items.flat()]
const sized = (bytes: number[]): number[] => [...unsigned(bytes.length), ...bytes]
const section = (id: number, items: number[][]): number[] => [id, ...sized(vector(items))]
const name = (text: string): number[] => sized([...text].map((letter) => letter.charCodeAt(0)))
