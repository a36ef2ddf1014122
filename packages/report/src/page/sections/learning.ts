import { judgeOf } from '../../build/names.js'
import { heldOutCurves, learningCurves } from '../../charts/learning.js'
import type { Report } from '../../report.js'
import { figure } from '../figure.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { rewardsOf } from '../words.js'

const small = { width: 255, height: 190 }
const sizes = { wide: small, narrow: { width: 350, height: 200 } }

export function learningSection(report: Report): Html | undefined {
  const curves = learningCurves(report)
  const held = heldOutCurves(report, judgeOf(rewardsOf(report)))
  if (curves.length + held.length === 0) return undefined
  return html`<section>
    <h2>Learning curves</h2>
    ${
      held.length > 0 &&
      html`<p class="lead">On prompts that nobody trained on, along training.</p>
        ${figure(held, { wide: { width: 350, height: 260 }, narrow: { width: 350, height: 260 } }, 'held')}`
    }
    ${
      curves.length > 0 &&
      html`<p class="lead">What each run logged while it trained; the same scale for the same measure.</p>
        ${figure(curves, sizes, 'learn')}`
    }
  </section>`
}
