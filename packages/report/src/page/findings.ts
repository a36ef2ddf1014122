import type { Measurement } from '@collimate/core'
import { judgeOf, proxyOf } from '../build/names.js'
import type { Report, ReportArm } from '../report.js'
import { count, interval, percent, short } from './numbers.js'
import { referenceName, rewardName, rewardsOf } from './words.js'

/** What a reader should take home, in sentences with their numbers; only what was measured. */
export function findings(report: Report): readonly string[] {
  const rewards = rewardsOf(report)
  const judge = judgeOf(rewards)
  if (judge === undefined) return costs(report)
  return [
    ...best(report, judge),
    ...winners(report, judge),
    ...overOptimised(report, judge, proxyOf(rewards)),
    ...costs(report),
  ]
}

const trained = ({ arms }: Report): ReportArm[] =>
  arms.filter(({ isReference, runs }) => !isReference && runs.length > 0)

const told = (measurement: Measurement): string => `${short(measurement.value)} ${interval(measurement)}`.trim()

function best(report: Report, judge: string): string[] {
  const judged = trained(report).filter(({ final }) => final?.[judge])
  if (judged.length === 0) return []
  const [first] = [...judged].sort((a, b) => b.final![judge].value - a.final![judge].value)
  const reference = report.arms.find(({ isReference }) => isReference)?.final?.[judge]
  const name = rewardName(judge, report)
  const against = reference ? `, against ${told(reference)} of ${referenceName(report)}` : ''
  const wins = first.winsAgainstReference
  const won = wins
    ? `; it gives the better answer to ${percent(wins.value)} ${interval(wins, percent)} of the prompts`
    : ''
  return [`The highest ${name} is that of ${first.label}: ${told(first.final![judge])}${against}${won}.`]
}

function winners(report: Report, judge: string): string[] {
  const compared = trained(report).filter(({ gainOverReference }) => gainOverReference)
  if (compared.length < 2) return []
  const more = compared.filter(({ gainOverReference: gained }) => (gained!.low ?? -Infinity) > 0)
  const less = compared.filter(({ gainOverReference: gained }) => (gained!.high ?? Infinity) < 0)
  const open = compared.filter((arm) => !more.includes(arm) && !less.includes(arm))
  const parts = [
    `${more.length} higher than ${referenceName(report)}`,
    ...(less.length > 0 ? [`${less.length} lower (${labels(less)})`] : []),
    ...(open.length > 0 ? [`${open.length} not to be told from it (${labels(open)})`] : []),
  ]
  return [
    `In ${rewardName(judge, report)} on the same prompts, of ${compared.length} trained models: ${parts.join(', ')}.`,
  ]
}

const labels = (arms: readonly ReportArm[]): string => arms.map(({ label }) => label).join(', ')

/** Where within a method more of what training sees is less of what is wanted. */
function overOptimised(report: Report, judge: string, proxy: string | undefined): string[] {
  if (proxy === undefined || proxy === judge) return []
  const methods = [...new Set(trained(report).map(({ method }) => method))]
  return methods.flatMap((method) => {
    const own = trained(report).filter(({ method: one, final }) => one === method && final?.[judge] && final[proxy])
    if (own.length < 2) return []
    const top = (name: string) => own.reduce((a, b) => (b.final![name].value > a.final![name].value ? b : a))
    const [hacked, wanted] = [top(proxy), top(judge)]
    const apart = (hacked.final![judge].high ?? Infinity) < (wanted.final![judge].low ?? -Infinity)
    if (hacked === wanted || !apart) return []
    const [seen, gold] = [rewardName(proxy, report), rewardName(judge, report)]
    return [
      `Over-optimised: ${hacked.label} has a higher ${seen} than ${wanted.label} (${short(hacked.final![proxy].value)} against ${short(wanted.final![proxy].value)}) and a lower ${gold} (${short(hacked.final![judge].value)} against ${short(wanted.final![judge].value)}).`,
    ]
  })
}

function costs({ methods }: Report): string[] {
  const known = methods.filter(({ models, method }) => models.length > 0 && method !== 'sft' && method !== 'reward')
  if (known.length === 0) return []
  const said = known.map(
    ({ label, models, parameters, generatedTokens = 0 }) =>
      `${label} holds ${models.length} model${models.length === 1 ? '' : 's'} (${count(parameters)} parameters) and samples ${generatedTokens === 0 ? 'nothing' : `${count(generatedTokens)} tokens`}`,
  )
  return [`While it trains, ${said.join('; ')}.`]
}
