import { calibrationChart } from '../../charts/calibration.js'
import type { Report } from '../../report.js'
import { figure } from '../figure.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { interval, percent } from '../numbers.js'

export function calibrationSection({ calibrations }: Report): Html | undefined {
  if (calibrations.length === 0) return undefined
  return html`<section>
    <h2>Can the reward model be trusted?</h2>
    <p class="lead">
      On held-out pairs: on the dashed line it is right as often as it claims; below the line it is too sure of itself.
    </p>
    ${figure(calibrations.map(calibrationChart), { wide: { width: 350, height: 320 }, narrow: { width: 350, height: 320 } }, 'calibration')}
    ${calibrations.map(noteOf)}
  </section>`
}

function noteOf({ label, accuracy, error }: Report['calibrations'][number]): Html | undefined {
  const said = [
    ...(accuracy
      ? [`ranks ${percent(accuracy.value)} ${interval(accuracy, percent)} of ${accuracy.count ?? 'the'} pairs right`]
      : []),
    ...(error ? [`has an expected calibration error of ${percent(error.value)} ${interval(error, percent)}`] : []),
  ]
  return said.length === 0 ? undefined : html`<p class="note">The ${label} ${said.join(' and ')}.</p>`
}
