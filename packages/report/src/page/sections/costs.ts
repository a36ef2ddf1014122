import { judgeOf } from '../../build/names.js'
import type { Report, ReportMethod } from '../../report.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { count, duration, megabytes, short } from '../numbers.js'
import { table } from '../table.js'
import type { Cell } from '../table.js'
import { rewardName, rewardsOf } from '../words.js'

type Row = readonly [what: string, of: (method: ReportMethod) => Cell]

const unknown = '–'
const given = (value: number | undefined, write: (value: number) => string): string =>
  value === undefined ? unknown : write(value)

/** The comparison that articles draw up by argument, as it was measured. */
export function costsSection(report: Report): Html | undefined {
  const methods = report.methods.filter(({ models }) => models.length > 0)
  if (methods.length === 0) return undefined
  const rows: Row[] = [
    [
      'models held',
      ({ models }) =>
        html`${models.length}${models.length > 0 && html` <small>${models.map(({ role }) => role).join(', ')}</small>`}`,
    ],
    ['parameters held', ({ parameters }) => count(parameters)],
    ['weights, gradients, moments, caches, at most', ({ stateBytes }) => given(stateBytes, megabytes)],
    [
      'process memory, at most',
      ({ processBytes, processBytesBefore: before }) =>
        html`${given(processBytes, megabytes)}${before !== undefined && html` <small>${megabytes(before)} before</small>`}`,
    ],
    ['steps', ({ steps }) => String(Math.round(steps))],
    ['training time', ({ trainingSeconds }) => given(trainingSeconds, duration)],
    ['tokens trained on', ({ trainedTokens }) => given(trainedTokens, count)],
    [
      'tokens sampled while training',
      ({ generatedTokens }) => given(generatedTokens, (n) => (n === 0 ? 'none' : count(n))),
    ],
    ['settings and runs', ({ arms, runs }) => `${arms.length} and ${runs}`],
    ...judged(report, judgeOf(rewardsOf(report))),
  ]
  return html`<section>
    <h2>What each method costs</h2>
    <p class="lead">
      Measured while it trained, for one run of each method; memory is the most of any of its runs, time and tokens are
      means.
    </p>
    ${table(
      ['', ...methods.map(({ label }) => label)],
      rows.map(([what, of]) => [what, ...methods.map(of)]),
    )}
    ${methods.some(({ method }) => method === 'reward') && html`<p class="note">Methods that learn from a reward model need it trained first: its own cost is its column.</p>`}
  </section>`
}

/** What each method came to at its best, and how far its settings lie apart. */
function judged(report: Report, judge: string | undefined): readonly Row[] {
  if (judge === undefined) return []
  const name = rewardName(judge, report)
  const labelOf = (id: string | undefined): string => report.arms.find((arm) => arm.id === id)?.label ?? unknown
  return [
    [`best setting by ${name}`, ({ arms, best }) => (arms.length > 1 ? labelOf(best) : unknown)],
    [
      `${name} over the settings`,
      ({ spread }) => (spread ? `${short(spread.lowest)} to ${short(spread.highest)}` : unknown),
    ],
  ]
}
