import { CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent } from 'echarts/components'
import * as echarts from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { escape, Html } from '../page/html.js'
import { tick } from '../page/numbers.js'
import type { Axis, Band, Chart, Line, Mark, Marks } from './chart.js'
import { placeLabels } from './place-labels.js'
import type { Place } from './place-labels.js'
import { rangeOf } from './range.js'
import type { Range } from './range.js'

echarts.use([LineChart, ScatterChart, CustomChart, GridComponent, SVGRenderer])

export interface Size {
  readonly width: number
  readonly height: number
}

/** Draws a chart as SVG: text in the reader's font, colours by variables of the style sheet, nothing that loads or runs. */
export function draw(chart: Chart, size: Size, id: string): Html {
  const canvas = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size })
  try {
    canvas.setOption(optionOf(chart, size))
    return new Html(cleaned(canvas.renderToSVGString(), chart, size, id))
  } finally {
    canvas.dispose()
  }
}

/** What a page does not need is taken out: hovering, name spaces, hints of the library. */
function cleaned(svg: string, { description }: Chart, { width, height }: Size, id: string): string {
  const body = svg
    .slice(svg.indexOf('>') + 1, svg.lastIndexOf('</svg>'))
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
    .replace(/zr\d+-/g, `${id}-`)
    .replace(/<(\/?)g\s*>/g, '<$1g>')
    .replace(/\n+/g, '\n')
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(description)}">${body}</svg>`
}

const font = { fontFamily: 'inherit', color: 'var(--soft)' } as const

/** Where the axes meet, and how far they go: pixels from the edges of the picture. */
interface Frame extends Size {
  readonly left: number
  readonly top: number
  readonly x: Range
  readonly y: Range
}

function frameOf(chart: Chart, { width, height }: Size): Frame {
  const { categories } = chart.y
  const left = categories ? Math.min(0.45 * width, 12 + 6.4 * Math.max(...categories.map((name) => name.length))) : 46
  const top = categories ? 8 : 26
  const inner = { width: width - left - roomOnTheRight(chart), height: height - top - 42 }
  return {
    ...{ ...inner, left, top },
    x: rangeOf(chart, 'x', Math.max(3, Math.round(inner.width / 65))),
    y: rangeOf(chart, 'y', Math.max(3, Math.round(inner.height / 45))),
  }
}

/** For labels of marks that lie at the right end. */
function roomOnTheRight({ marks = [], y }: Chart): number {
  const all = marks.flatMap((layer) => layer.marks)
  const far = all.reduce((most, { x, right = x }) => Math.max(most, right), -Infinity)
  const widths = all.map(({ x, label = '' }) => (x > 0.8 * far ? 6.4 * label.length : 0))
  return 16 + (y.categories ? 0 : widths.reduce((a, b) => Math.max(a, b), 0))
}

function optionOf(chart: Chart, size: Size): echarts.EChartsCoreOption {
  const { bands = [], lines = [], marks = [] } = chart
  const frame = frameOf(chart, size)
  const { left, top, width, height } = frame
  const places = labelPlaces(marks, frame, size.width - left - width)
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: font,
    grid: { left, top, width, height },
    xAxis: axisOf(chart.x, 'x', frame.x),
    yAxis: axisOf(chart.y, 'y', frame.y),
    series: [
      ...bands.map(bandSeries),
      ...lines.map(lineSeries),
      ...marks.map(intervalSeries),
      ...marks.map((layer, at) => markSeries(layer, places[at])),
    ],
  }
}

/** [layers][marks] the side of each mark on which its label stands; there is room to the right of the axes. */
function labelPlaces(marks: readonly Marks[], { width, height, x, y }: Frame, room: number): (Place | undefined)[][] {
  // Small marks along a line are no obstacle: there are many.
  const solid = marks.filter((layer) => layer.marks.some(({ label }) => label !== undefined))
  const boxes = solid.flatMap((layer) =>
    layer.marks.map(({ x: at, y: up, label = '' }) => ({
      x: ((at - x.min) / (x.max - x.min)) * width,
      y: ((y.max - up) / (y.max - y.min)) * height,
      ...{ radius: layer.size / 2, width: 6.4 * label.length },
    })),
  )
  const placed = placeLabels(boxes, { width: width + room, height })
  let next = 0
  return marks.map((layer) => (solid.includes(layer) ? layer.marks.map(() => placed[next++]) : []))
}

function axisOf({ name, categories, format = tick }: Axis, which: 'x' | 'y', { min, max, step }: Range) {
  const splitLine = { show: true, lineStyle: { color: 'var(--line)', width: 1 } }
  const shared = {
    axisLine: { show: which === 'x', onZero: false, lineStyle: { color: 'var(--soft)' } },
    axisTick: { show: false },
    splitLine,
  }
  if (categories)
    return {
      ...{ ...shared, type: 'category', data: categories, inverse: true },
      axisLabel: { ...font, fontSize: 12, interval: 0 },
    }
  const named =
    which === 'x'
      ? { nameLocation: 'middle', nameGap: 26, nameTextStyle: { ...font, fontSize: 12 } }
      : // The name of a y-axis begins at its labels, not at its line.
        { nameGap: 10, nameTextStyle: { ...font, fontSize: 12, align: 'left', padding: [0, 0, 0, -38] } }
  return {
    ...{ ...shared, ...named, name, type: 'value', min, max, interval: step },
    axisLabel: {
      ...font,
      fontSize: 11,
      hideOverlap: true,
      formatter: (value: number) => format(Number(value.toPrecision(10))),
    },
  }
}

function lineSeries({ points, colour, width = 2, dash, opacity = 1 }: Line) {
  return {
    ...{ type: 'line', data: points.map((point) => [...point]), showSymbol: false, silent: true, z: 2 },
    ...{ clip: true, lineStyle: { color: colour, width, type: dash ?? 'solid', opacity, cap: 'round' } },
  }
}

function markSeries({ marks, colour, shape, size, hollow = false }: Marks, places: readonly (Place | undefined)[]) {
  const symbol = { circle: 'circle', square: 'rect', triangle: 'triangle', diamond: 'diamond' }[shape]
  return {
    ...{ type: 'scatter', symbol, symbolSize: size, silent: true, z: 4 },
    itemStyle: {
      ...{ color: hollow ? 'var(--paper)' : colour, borderColor: hollow ? colour : 'var(--paper)' },
      ...{ borderWidth: 1.5, opacity: 1 },
    },
    data: marks.map(({ x, y, label }, at) => ({
      value: [x, y],
      label: {
        ...{ fontFamily: 'inherit', fontSize: 11, color: colour, formatter: label ?? '' },
        ...{ show: places[at] !== undefined, position: places[at] ?? 'right', distance: 4 },
        ...{ textBorderColor: 'var(--paper)', textBorderWidth: 3 },
      },
    })),
  }
}

/** Bars from low to high and from left to right, with gaps between them. */
function intervalSeries({ marks, colour }: Marks) {
  const gap = ['-', '-']
  const bars = marks.flatMap(({ x, y, low, high, left, right }: Mark) => [
    ...(low === undefined || high === undefined ? [] : [[x, low], [x, high], gap]),
    ...(left === undefined || right === undefined ? [] : [[left, y], [right, y], gap]),
  ])
  return {
    ...{ type: 'line', data: bars, showSymbol: false, silent: true, connectNulls: false, z: 3 },
    lineStyle: { color: colour, width: 1.5, opacity: 0.55 },
  }
}

interface CustomApi {
  coord(point: readonly [number, number]): readonly [number, number]
}

function bandSeries({ points, colour }: Band) {
  return {
    ...{ type: 'custom', silent: true, z: 1, clip: true, data: [[points[0]?.x ?? 0, points[0]?.low ?? 0]] },
    renderItem: (_params: unknown, api: CustomApi) => ({
      type: 'polygon',
      shape: {
        points: [
          ...points.map(({ x, high }) => api.coord([x, high])),
          ...[...points].reverse().map(({ x, low }) => api.coord([x, low])),
        ],
      },
      style: { fill: colour, opacity: 0.14 },
    }),
  }
}
