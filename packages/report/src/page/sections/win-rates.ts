import type { Measurement } from '@collimate/core'
import type { Report } from '../../report.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { interval, percent } from '../numbers.js'
import { rewardName } from '../words.js'

export function winRateSection(report: Report): Html | undefined {
  const { winRates, measured } = report
  if (!winRates || !measured) return undefined
  const labels = winRates.arms.map((id) => report.arms.find((arm) => arm.id === id)?.label ?? id)
  const judge = measured.judge === undefined ? 'reward' : rewardName(measured.judge, report)
  return html`<section>
    <h2>Who beats whom</h2>
    <p class="lead">
      How often the model of a row gives the better answer than the model of a column, out of ${measured.prompts}
      prompts; the ${judge} decides.
    </p>
    <div class="scroll">
      <table class="matrix">
        <thead>
          <tr>
            <th></th>
            ${labels.map((label) => html`<th scope="col"><span>${unbroken(label)}</span></th>`)}
          </tr>
        </thead>
        <tbody>
          ${winRates.cells.map(
            (row, at) =>
              html`<tr>
                <th scope="row">${labels[at]}</th>
                ${row.map(cell)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="note">
      Blue wins more than half, orange less; nearly without colour where the 95 % interval holds one half. Both answers
      to a prompt come from the same random numbers; ties count half.
    </p>
  </section>`
}

/** A setting stays on one line. */
const unbroken = (label: string): string => label.replace(/ (?=[\d.−-]+$)/, '\u00a0')

function cell(rate: Measurement | null): Html {
  if (rate === null) return html`<td class="self"></td>`
  const { value, low = 0, high = 1 } = rate
  const certain = low > 0.5 || high < 0.5
  const strength = Math.round(100 * (certain ? 0.25 + 0.75 * Math.abs(2 * value - 1) : 0.2 * Math.abs(2 * value - 1)))
  const colour = value >= 0.5 ? 'var(--win)' : 'var(--lose)'
  return html`<td style="background:color-mix(in srgb,${colour} ${strength}%,var(--paper))">
    <b>${percent(value)}</b><small>${interval(rate, percent)}</small>
  </td>`
}
