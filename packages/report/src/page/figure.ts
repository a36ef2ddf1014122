import type { Chart, Key } from '../charts/chart.js'
import { draw } from '../charts/draw.js'
import type { Size } from '../charts/draw.js'
import { html } from './html.js'
import type { Html } from './html.js'

/** Charts side by side where there is room; below one another, drawn for a narrow screen, where there is not. */
export function figure(charts: readonly Chart[], sizes: { wide: Size; narrow: Size }, id: string): Html {
  const one = (chart: Chart, at: number): Html =>
    html` <div class="chart">
      ${chart.title !== undefined && html`<h3>${chart.title}</h3>`}
      <div class="wide">${draw(chart, sizes.wide, `${id}${at}w`)}</div>
      <div class="narrow">${draw(chart, sizes.narrow, `${id}${at}n`)}</div>
    </div>`
  return html`<div class="charts" style="--width:${sizes.wide.width}px">${charts.map(one)}</div>`
}

/** What colours, shapes and lines stand for. */
export function legend(keys: readonly Key[]): Html {
  return html`<ul class="legend">
    ${keys.map((key) => html`<li>${sign(key)} ${key.label}</li>`)}
  </ul>`
}

function sign({ colour, shape, hollow = false, line }: Key): Html {
  const dash = line === 'dashed' ? '5 4' : line === 'dotted' ? '2 3' : 'none'
  const fill = hollow ? 'var(--paper)' : colour
  const drawn = {
    circle: html`<circle cx="14" cy="7" r="4.5" fill="${fill}" stroke="${colour}" stroke-width="1.5" />`,
    square: html`<rect x="10" y="3" width="8" height="8" fill="${fill}" stroke="${colour}" stroke-width="1.5" />`,
    triangle: html`<path d="M14 2L19 11L9 11Z" fill="${fill}" stroke="${colour}" stroke-width="1.5" />`,
    diamond: html`<path d="M14 1L19 7L14 13L9 7Z" fill="${fill}" stroke="${colour}" stroke-width="1.5" />`,
  }
  return html`<svg width="28" height="14" viewBox="0 0 28 14" aria-hidden="true">
    ${
      line !== undefined &&
      html`<path d="M1 7H27" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}" fill="none" />`
    }${shape !== undefined && drawn[shape]}
  </svg>`
}
