import { spreadOf } from '../mathematics/spread.js'
import { methodLabel } from '../records/arms.js'
import type { ReportArm, ReportMethod, ReportRun } from '../report.js'

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0)

/** What each method costs, and how far its settings lie apart; methods without runs cost nothing that was recorded. */
export function reportMethods(
  arms: readonly ReportArm[],
  runs: readonly ReportRun[],
  judge: string | undefined,
): ReportMethod[] {
  const methods = [...new Set(arms.filter((arm) => arm.runs.length > 0).map(({ method }) => method))]
  return methods.map((method): ReportMethod => {
    const own = arms.filter((arm) => arm.method === method)
    const members = runs.filter(({ arm }) => own.some(({ id }) => id === arm))
    const costs = members.flatMap(({ resources }) => (resources ? [resources] : []))
    const models = (costs[0]?.models ?? []).filter(({ role }) => role !== 'evaluator')
    const judged = own.flatMap(({ id, final }) => {
      const measured = judge === undefined ? undefined : final?.[judge]
      return measured ? [{ id, value: measured.value }] : []
    })
    const best = judged.reduce<(typeof judged)[number] | undefined>(
      (a, b) => (a && a.value >= b.value ? a : b),
      undefined,
    )
    const spread = spreadOf(judged.map(({ value }) => value))
    return {
      ...{ method, label: methodLabel(method), arms: own.map(({ id }) => id), runs: members.length },
      models: models.map(({ role, parameters }) => ({ role, parameters })),
      parameters: models.reduce((sum, { parameters }) => sum + parameters, 0),
      steps: mean(members.map(({ steps }) => steps)),
      ...(costs.length > 0 && {
        stateBytes: most(costs.map(({ stateBytes }) => stateBytes)),
        ...processMemory(costs),
        trainingSeconds: mean(costs.map(({ trainingSeconds }) => trainingSeconds)),
        trainedTokens: mean(costs.map(({ trainedTokens }) => trainedTokens)),
        generatedTokens: mean(costs.map(({ generatedTokens }) => generatedTokens)),
      }),
      ...(best && { best: best.id }),
      ...(spread && { spread: { ...spread } }),
    }
  })
}

type Costs = NonNullable<ReportRun['resources']>

/** Of the run whose process held most. */
function processMemory(costs: readonly Costs[]): Pick<ReportMethod, 'processBytes' | 'processBytesBefore'> {
  const { processBytes, processBytesBefore } = costs.reduce((a, b) => (b.processBytes > a.processBytes ? b : a))
  return { processBytes, ...(processBytesBefore !== undefined && { processBytesBefore }) }
}
