import type { LoweringWith } from '@collimate/backends'
import type { KernelBuilder, Value } from '../kernel-builder.js'

/** Adds the kernel calls of one op and returns its value. */
export type Lowering<Attributes> = LoweringWith<KernelBuilder, Value, Value, Attributes>

/** How each op of a family is computed; `decompose` where its decomposition in @collimate/graph serves as well. */
export type Lowerings<Table> = { readonly [Op in keyof Table]: Lowering<Table[Op]> | 'decompose' }

export { only } from '@collimate/backends'
