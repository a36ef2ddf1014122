import { CollimateError } from '@collimate/core'
import type { ColumnReader } from './columns.js'
import { place } from './read-rows.js'
import type { SourceRow } from './read-rows.js'

/**
 * TRL's columns of stepwise supervision: `completions`, a list of texts, and `labels`, a list as long that says of each
 * whether it is right (true or 1) or wrong (false or 0).
 *
 * @throws CollimateError COLLIMATE_DATA_FIELD_INVALID with file, line and field
 */
export function stepwiseColumns(
  source: SourceRow,
  columns: ColumnReader,
): { readonly completions: readonly string[]; readonly labels: readonly (0 | 1)[] } {
  const refuse = (column: 'completions' | 'labels', problem: string): never => {
    throw new CollimateError(
      'COLLIMATE_DATA_FIELD_INVALID',
      `${place(source)}: field \`${columns.nameOf(column)}\` ${problem}`,
      { hint: '{"prompt": "...", "completions": ["step", "step"], "labels": [true, false]}' },
    )
  }
  const steps = columns.get(source, 'completions')
  if (!Array.isArray(steps) || !steps.every((step): step is string => typeof step === 'string'))
    return refuse('completions', 'must be a list of texts, one for each step')
  const said = columns.get(source, 'labels')
  if (!Array.isArray(said)) return refuse('labels', 'must be a list with true or false for each step')
  const labels = said.map((label: unknown, step) => {
    if (label === true || label === 1) return 1
    if (label === false || label === 0) return 0
    return refuse('labels', `is ${JSON.stringify(label)} for step ${step + 1}: expected true or false`)
  })
  if (labels.length !== steps.length)
    return refuse(
      'labels',
      `has ${labels.length} labels for ${steps.length} steps in \`${columns.nameOf('completions')}\``,
    )
  return { completions: steps, labels }
}
