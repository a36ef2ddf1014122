import { rewardAgainstKl } from '../../charts/reward-kl.js'
import type { Report } from '../../report.js'
import { figure, legend } from '../figure.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { short } from '../numbers.js'
import { details, measured, table } from '../table.js'
import { referenceName, rewardName } from '../words.js'

export function rewardKlSection(report: Report): Html | undefined {
  const { charts, keys } = rewardAgainstKl(report)
  if (charts.length === 0) return undefined
  const [frontier] = report.frontiers
  const reached = charts.length === 1 ? 900 : 540
  return html`<section>
    <h2>Reward against KL</h2>
    <p class="lead">
      Up is better, left is closer to ${referenceName(report)}: each line is a model on its way through training, and
      ends at the large mark.
    </p>
    ${legend(keys)}
    ${figure(charts, { wide: { width: reached, height: 380 }, narrow: { width: 350, height: 320 } }, 'kl')}
    ${frontier && frontierNote(report, frontier)}
    ${report.frontiers.length > 0 && details('Frontier in numbers', html`${report.frontiers.map((one) => frontierTable(report, one))}`)}
  </section>`
}

function frontierNote(report: Report, frontier: Report['frontiers'][number]): Html {
  const { prompts, samplesPerPrompt, policies, fewestEffectiveSamples } = frontier
  const from = [referenceName(report), ...policies].join(', of ')
  return html`<p class="note">
    No policy lies above the frontier, whatever its method: π ∝ π_ref exp(r/β) has the most reward at its KL. It is
    estimated from ${samplesPerPrompt} answers of ${from} to each of ${prompts} prompts, reweighted, and ends where
    fewer than ${fewestEffectiveSamples} of them (effective sample size) carry the estimate. What none of these answers
    is like, it does not know. Bars and bands are 95 % intervals over prompts.
  </p>`
}

function frontierTable(report: Report, { reward, points }: Report['frontiers'][number]): Html {
  const names = Object.keys(points[0].rewards)
  return table(
    ['β', 'KL, nats', ...names.map((name) => rewardName(name, report)), 'effective samples'],
    points.map(({ beta, kl, rewards, effectiveSamples }) => [
      beta === null ? '∞' : short(beta),
      measured(kl),
      ...names.map((name) => measured(rewards[name])),
      effectiveSamples === undefined ? 'exact' : short(effectiveSamples),
    ]),
    `Best policies for the ${rewardName(reward, report)}`,
  )
}
