import * as g from '@collimate/graph'
import type { Tensor } from '@collimate/graph'

type Op = (...operands: never[]) => unknown
type Value = Tensor | number

const same = (x: Value): Tensor => g.mul(x, 1)

/** For each op the mistake that is made in its place. */
export const mistakes = {
  add: (a: Value, b: Value) => g.sub(a, b),
  sub: (a: Value, b: Value) => g.sub(b, a),
  mul: (a: Value, b: Value) => g.div(a, b),
  div: (a: Value, b: Value) => g.mul(a, b),
  minimum: (a: Value, b: Value) => g.maximum(a, b),
  maximum: (a: Value, b: Value) => g.minimum(a, b),
  neg: same,
  square: same,
  sqrt: same,
  rsqrt: (x: Tensor) => g.sqrt(x),
  reciprocal: same,
  relu: same,
  exp: (x: Tensor) => g.expm1(x),
  expm1: (x: Tensor) => g.exp(x),
  log: (x: Tensor) => g.log1p(x),
  sigmoid: (x: Tensor) => g.sigmoid(g.neg(x)),
  logSigmoid: (x: Tensor) => g.logSigmoid(g.neg(x)),
  tanh: (x: Tensor) => g.sigmoid(x),
  greater: (a: Value, b: Value) => g.less(a, b),
  less: (a: Value, b: Value) => g.greater(a, b),
  greaterEqual: (a: Value, b: Value) => g.greater(a, b),
  lessEqual: (a: Value, b: Value) => g.less(a, b),
  equal: (a: Value, b: Value) => g.notEqual(a, b),
  and: (a: Tensor, b: Tensor) => g.or(a, b),
  or: (a: Tensor, b: Tensor) => g.and(a, b),
  not: (a: Tensor) => a,
  where: (condition: Tensor, a: Value, b: Value) => g.where(condition, b, a),
  stopGradient: same,
} as const satisfies Readonly<Record<string, Op>>

let active: string | undefined

/** Every site that was called since the start. */
export const reached = new Set<string>()

/** Makes one site call the mistake, or none. */
export const activate = (site: string | undefined): void => void (active = site)

/** The op to call at a site. */
export function exchanged<F>(site: string, name: keyof typeof mistakes, right: F): F {
  reached.add(site)
  return site === active ? (mistakes[name] as F) : right
}
