import { judgeOf } from '../../build/names.js'
import { sensitivity } from '../../charts/sensitivity.js'
import type { Report, ReportArm } from '../../report.js'
import { figure } from '../figure.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { percent } from '../numbers.js'
import { measured, table } from '../table.js'
import { referenceName, rewardName, rewardsOf } from '../words.js'

export function resultsSection(report: Report): Html | undefined {
  const arms = report.arms.filter(({ final }) => final)
  if (arms.length === 0) return undefined
  const rewards = rewardsOf(report)
  const judge = judgeOf(rewards)
  const chart = sensitivity(report, judge)
  const height = 70 + 26 * arms.length
  return html`<section>
    <h2>Where each model ended</h2>
    <p class="lead">
      ${
        chart && judge !== undefined
          ? `The ${rewardName(judge, report)} of each method at each of its settings: the wider a method is spread, the more hangs on choosing well.`
          : 'What was measured of each model.'
      }
    </p>
    ${chart && figure([chart], { wide: { width: 900, height }, narrow: { width: 350, height } }, 'ends')}
    ${table(
      [
        'model',
        ...rewards.map((name) => rewardName(name, report)),
        'KL, nats',
        'length, tokens',
        'cut off',
        ...(judge === undefined ? [] : [`${rewardName(judge, report)} gained over ${referenceName(report)}`]),
        `wins against ${referenceName(report)}`,
        'seeds',
      ],
      arms.map((arm) => row(arm, rewards, judge)),
    )}
    <p class="note">
      Means per answer with 95 %
      intervals${
        report.measured
          ? ` over the same ${report.measured.prompts} held-out prompts, answered with the same random numbers at temperature ${report.measured.temperature}`
          : ', as the runs measured them themselves'
      }.
      A tie counts as half a win.
    </p>
  </section>`
}

function row(
  { label, final, gainOverReference, winsAgainstReference, runs }: ReportArm,
  rewards: readonly string[],
  judge: string | undefined,
): (Html | string | number)[] {
  return [
    label,
    ...rewards.map((name) => measured(final?.[name])),
    ...[measured(final?.['kl']), measured(final?.['length']), measured(final?.['cut'], percent)],
    ...(judge === undefined ? [] : [measured(gainOverReference)]),
    measured(winsAgainstReference, percent),
    Math.max(1, runs.length),
  ]
}
