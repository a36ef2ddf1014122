import { groups } from './groups.js'
import { unexpressed } from './unexpressed.js'

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`)

/** The list of defects: live ones in today's systems (L1 to L27) and classes of them (1 to 59). */
export const defects: readonly string[] = [...names('L', 27), ...names('class ', 59)]

/** The defects that a mutant stands for. */
export const defectsOf = ({ defect }: { readonly defect: string }): string[] =>
  defect === '-' ? [] : defect.split(', ')

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The two tables of README.md. */
export function tables(): string {
  const mutants = groups.flatMap(({ subject, mutants }) => [
    `### ${subject[0].toUpperCase()}${subject.slice(1)}`,
    '',
    '| mutant | defect | what is wrong |',
    '| --- | --- | --- |',
    ...mutants.map(({ id, defect, what }) => `| ${id} | ${defect === '-' ? '' : defect} | ${cell(what)} |`),
    '',
  ])
  const others = Object.entries(unexpressed).map(([defect, reason]) => `| ${defect} | ${cell(reason)} |`)
  return [
    ...['## Mutants', '', ...mutants],
    ...['## Not expressed', '', '| defect | reason |', '| --- | --- |', ...others, ''],
  ].join('\n')
}
