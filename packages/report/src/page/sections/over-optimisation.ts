import { overOptimisation } from '../../charts/over-optimisation.js'
import { gainForms } from '../../mathematics/over-optimisation.js'
import { methodLabel } from '../../records/arms.js'
import type { Report } from '../../report.js'
import { figure, legend } from '../figure.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { short } from '../numbers.js'
import { details, table } from '../table.js'
import { referenceName, rewardName } from '../words.js'

export function overOptimisationSection(report: Report): Html | undefined {
  const { charts, keys } = overOptimisation(report)
  if (charts.length === 0) return undefined
  return html`<section>
    <h2>Over-optimisation</h2>
    <p class="lead">
      Further from ${referenceName(report)}, what training sees and what is wanted can part: where the red points go on
      rising and the blue ones fall, the reward is being fooled.
    </p>
    ${legend(keys)}
    ${figure(charts, { wide: { width: 350, height: 290 }, narrow: { width: 350, height: 290 } }, 'over')}
    <p class="note">
      Every evaluation of every run of a method. Curves as in Gao et al. (arXiv 2210.10760), with d = √KL: gain = d (α −
      β log d) for trained policies, d (α − β d) for the best of n. Each reward has its own unit: compare shapes, not
      heights.
    </p>
    ${report.fits.length > 0 && details('Fitted curves in numbers', fitTable(report))}
  </section>`
}

function fitTable(report: Report): Html {
  return table(
    ['method', 'reward', 'form', 'α', 'β', 'peak at √KL', 'residual', 'points'],
    report.fits.map(({ method, reward, form, alpha, beta, peak, residual, points }) => [
      method === 'best-of-n' ? 'best of n' : methodLabel(method),
      ...[rewardName(reward, report), gainForms[form].formula, short(alpha), short(beta)],
      ...[peak === undefined ? 'none' : short(peak), short(residual), points],
    ]),
  )
}
