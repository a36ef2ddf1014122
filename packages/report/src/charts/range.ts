import type { Chart } from './chart.js'

export interface Range {
  readonly min: number
  readonly max: number
  /** Distance of the ticks. */
  readonly step: number
}

/** A range of round numbers around values, with about as many ticks as asked for. */
export function rounded(least: number, greatest: number, ticks = 6): Range {
  const size = Math.max(Math.abs(least), Math.abs(greatest), 1e-12)
  // Values that are equal but for rounding have no span to divide.
  const span = greatest - least > 1e-6 * size ? greatest - least : size
  const power = 10 ** Math.floor(Math.log10(span / ticks))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => span / size <= ticks) ?? 10 * power
  // 0.1 + 0.2 is not 0.3: the ends are multiples of the step up to rounding.
  const down = Math.floor(least / step + 1e-9)
  const up = Math.max(down + 1, Math.ceil(greatest / step - 1e-9))
  const clean = (value: number): number => Number(value.toPrecision(12))
  return { min: clean(down * step), max: clean(up * step), step }
}

/** The range of an axis: what it says, and where it says nothing round numbers around all that is drawn. */
export function rangeOf(chart: Chart, which: 'x' | 'y', ticks: number): Range {
  const axis = chart[which]
  const values = [...valuesOf(chart, which), ...(axis.covers ?? [])].filter(Number.isFinite)
  const least = axis.min ?? values.reduce((a, b) => Math.min(a, b), Infinity)
  const greatest = axis.max ?? values.reduce((a, b) => Math.max(a, b), -Infinity)
  const found = least <= greatest ? rounded(least, greatest, ticks) : rounded(0, 1, ticks)
  const [min, max] = [axis.min ?? found.min, axis.max ?? found.max]
  return { min, max, step: dividing(max - min, ticks + 1) ?? found.step }
}

/** The smallest round step that goes into a span without a rest, in at most so many parts. */
function dividing(span: number, most: number): number | undefined {
  const power = 10 ** Math.floor(Math.log10(span / most))
  return [1, 2, 2.5, 5, 10, 20]
    .map((factor) => factor * power)
    .find((step) => span / step <= most + 1e-9 && Math.abs(span / step - Math.round(span / step)) < 1e-6)
}

function valuesOf({ bands = [], lines = [], marks = [] }: Chart, which: 'x' | 'y'): number[] {
  const inLines = lines.flatMap(({ points }) => points.map(([x, y]) => (which === 'x' ? x : y)))
  const inBands = bands.flatMap(({ points }) =>
    points.flatMap(({ x, low, high }) => (which === 'x' ? [x] : [low, high])),
  )
  const inMarks = marks.flatMap((layer) =>
    layer.marks.flatMap(({ x, y, low = y, high = y, left = x, right = x }) =>
      which === 'x' ? [x, left, right] : [y, low, high],
    ),
  )
  return [...inLines, ...inBands, ...inMarks]
}
