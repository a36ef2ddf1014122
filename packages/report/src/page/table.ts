import type { Measurement } from '@collimate/core'
import { html } from './html.js'
import type { Html } from './html.js'
import { interval, short } from './numbers.js'

export type Cell = Html | string | number

/** A table that scrolls by itself where it is too wide; the first column names the rows. */
export function table(head: readonly Cell[], rows: readonly (readonly Cell[])[], caption?: string): Html {
  return html`<div class="scroll">
    <table>
      ${
        caption !== undefined &&
        html`<caption>
          ${caption}
        </caption>`
      }
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, ...cells]) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

/** A number with its interval below it. */
export function measured(measurement: Measurement | undefined, write: (value: number) => string = short): Html {
  if (measurement === undefined) return html`–`
  const range = interval(measurement, write)
  return html`${write(measurement.value)}${range !== '' && html` <small>${range}</small>`}`
}

/** Numbers behind a picture, shown on demand. */
export function details(summary: string, content: Html): Html {
  return html`<details>
    <summary>${summary}</summary>
    ${content}
  </details>`
}
