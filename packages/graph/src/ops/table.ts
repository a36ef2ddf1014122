import type { Attributes } from '../types.js'
import { activation, type ActivationAttributes } from './activation.js'
import { arithmetic, type ArithmeticAttributes } from './arithmetic.js'
import { attention, type AttentionAttributes } from './attention.js'
import { compare, type CompareAttributes } from './compare.js'
import { convert, type ConvertAttributes } from './convert.js'
import { elementwise, type ElementwiseAttributes } from './elementwise.js'
import { indexing, type IndexingAttributes } from './indexing.js'
import { leaf, type LeafAttributes } from './leaf.js'
import { likelihood, type LikelihoodAttributes } from './likelihood.js'
import { linearAlgebra, type LinearAlgebraAttributes } from './linear-algebra.js'
import { normalization, type NormalizationAttributes } from './normalization.js'
import { reduce, type ReduceAttributes } from './reduce.js'
import type { Rule, Rules } from './rule.js'
import { shape, type ShapeAttributes } from './shape.js'

/** Every op with the attributes of its nodes. */
export interface OpAttributes
  extends
    LeafAttributes,
    ElementwiseAttributes,
    ArithmeticAttributes,
    CompareAttributes,
    ConvertAttributes,
    ShapeAttributes,
    IndexingAttributes,
    ReduceAttributes,
    LinearAlgebraAttributes,
    ActivationAttributes,
    NormalizationAttributes,
    AttentionAttributes,
    LikelihoodAttributes {}

/** Name of an op. */
export type OpName = keyof OpAttributes

/** What every op is: an op without shape rule, value, and derivative (or the reason why it has none) does not compile. */
export const ops: Rules<OpAttributes> = {
  ...leaf,
  ...elementwise,
  ...arithmetic,
  ...compare,
  ...convert,
  ...shape,
  ...indexing,
  ...reduce,
  ...linearAlgebra,
  ...activation,
  ...normalization,
  ...attention,
  ...likelihood,
}

/** The rule of an op, for attributes known only as data. */
export function ruleOf(op: OpName): Rule<Attributes> {
  return ops[op]
}

/** Names of all ops. */
export const opNames = Object.keys(ops) as OpName[]

/** Ops that compute each element from the elements at the same place, under broadcasting. */
export const elementwiseOps: ReadonlySet<OpName> = new Set<OpName>([
  ...(Object.keys(elementwise) as (keyof ElementwiseAttributes)[]),
  ...(Object.keys(arithmetic) as (keyof ArithmeticAttributes)[]),
  ...(Object.keys(compare) as (keyof CompareAttributes)[]),
  'cast',
  'gelu',
  'silu',
])
