/** Arithmetic on single numbers in float64; comparisons and logic give 0 or 1. */
const scalarFunctions = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  maximum: (x, y) => Math.max(x, y),
  minimum: (x, y) => Math.min(x, y),
  neg: (x) => -x,
  abs: (x) => Math.abs(x),
  exp: (x) => Math.exp(x),
  expm1: (x) => Math.expm1(x),
  log: (x) => Math.log(x),
  log1p: (x) => Math.log1p(x),
  sqrt: (x) => Math.sqrt(x),
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  square: (x) => x * x,
  sign: (x) => Math.sign(x),
  relu: (x) => Math.max(x, 0),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  tanh: (x) => Math.tanh(x),
  equal: (x, y) => Number(x === y),
  notEqual: (x, y) => Number(x !== y),
  less: (x, y) => Number(x < y),
  lessEqual: (x, y) => Number(x <= y),
  greater: (x, y) => Number(x > y),
  greaterEqual: (x, y) => Number(x >= y),
  and: (x, y) => Number(x !== 0 && y !== 0),
  or: (x, y) => Number(x !== 0 || y !== 0),
  not: (x) => Number(x === 0),
  where: (condition, x, y) => (condition !== 0 ? x : y),
  pow: (x, exponent) => x ** exponent,
  cast: (x) => x,
} satisfies Record<string, (x: number, y: number, z: number) => number>

export type ScalarOp = keyof typeof scalarFunctions

export const isScalarOp = (op: string): op is ScalarOp => Object.hasOwn(scalarFunctions, op)

/** Value of an op; integers and truths are what their buffers could hold. */
export function scalarValue(op: ScalarOp, operands: readonly number[], dtype: 'float' | 'int' | 'bool'): number {
  const [x = 0, y = 0, z = 0] = operands
  const value = (scalarFunctions[op] as (x: number, y: number, z: number) => number)(x, y, z)
  if (dtype === 'int') return Math.trunc(value) | 0
  return dtype === 'bool' ? Number(value !== 0) : value
}
