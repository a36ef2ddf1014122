import { methodsOf, rewardName } from '../page/words.js'
import type { Report } from '../report.js'
import type { Chart } from './chart.js'
import { lookOf } from './colours.js'

/** The reward that decides, of every arm on one scale. Undefined where nothing was judged. */
export function sensitivity(report: Report, judge: string | undefined): Chart | undefined {
  if (judge === undefined) return undefined
  const judged = report.arms.filter(({ final }) => final?.[judge])
  if (judged.length < 2) return undefined
  const methods = methodsOf(report)
  const reference = judged.find(({ isReference }) => isReference)?.final?.[judge]
  const name = rewardName(judge, report)
  return {
    description: `${name} of every method and setting with 95 % intervals`,
    x: { name: `${name}, mean per answer` },
    y: { name: '', categories: judged.map(({ label }) => label) },
    lines: reference
      ? [
          {
            points: [
              [reference.value, 0],
              [reference.value, judged.length - 1],
            ],
            colour: 'var(--soft)',
            width: 1,
            dash: 'dotted',
          },
        ]
      : [],
    marks: judged.map((arm, at) => {
      const { value, low, high } = arm.final![judge]
      const ends = low === undefined || high === undefined ? {} : { left: low, right: high }
      return { marks: [{ x: value, y: at, ...ends }], ...lookOf(arm.method, methods), size: 10 }
    }),
  }
}
