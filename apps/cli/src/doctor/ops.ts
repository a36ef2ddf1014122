import type { OpSupport, Plugin } from '@collimate/core'
import { usageError } from '../failure.js'
import { backendDevices, nameOf } from './devices.js'

/** How each op is computed, by device: `onnx cpu`, `tfjs wasm`, ... */
export type OpTables = Readonly<Record<string, Readonly<Record<string, OpSupport>>>>

/** The tables of all installed backends that tell theirs, or of those whose names begin with `only`. */
export function opTables(plugins: readonly Plugin[], only?: string): OpTables {
  const tables: Record<string, Readonly<Record<string, OpSupport>>> = {}
  for (const { backend, device } of backendDevices(plugins)) {
    const plugin = plugins.find(({ definition }) => definition.kind === 'backend' && definition.name === backend)
    const support = plugin?.definition.opSupport
    const name = nameOf({ backend, ...(device !== undefined && { device }) })
    if (support && (only === undefined || name === only || backend === only)) tables[name] = support(device ?? '')
  }
  if (Object.keys(tables).length > 0) return tables
  throw usageError(`no backend tells its ops for ${only ?? 'doctor'}`, 'collimate doctor --ops, or --ops "tfjs wasm"')
}

/** One row per op; with one device what it is made of, with several how. */
export function opRows(tables: OpTables): string[][] {
  const names = Object.keys(tables)
  const ops = [...new Set(Object.values(tables).flatMap((one) => Object.keys(one)))]
  const cell = (support: OpSupport | undefined): string => {
    if (!support) return '-'
    return names.length === 1 ? `${support.how}: ${support.into.join(', ') || 'nothing to do'}` : support.how
  }
  return [['op', ...names], ...ops.map((op) => [op, ...names.map((name) => cell(tables[name]?.[op]))])]
}
