import type { Measured } from '../measured.js'
import type { Report } from '../report.js'
import type { MeasuredArm } from './report-arms.js'

/** The first prompts with an answer of each arm, the first of its seeds. */
export function reportSamples(
  arms: readonly MeasuredArm[],
  measured: Measured | undefined,
  judge: string | undefined,
  count: number,
): Report['samples'] {
  return (measured?.prompts ?? []).slice(0, count).map((prompt, at) => ({
    prompt,
    answers: arms.flatMap(({ arm, models: [model] }) => {
      if (!model) return []
      const score = judge === undefined ? undefined : model.scores[judge]?.[at]
      return [{ arm: arm.id, text: model.texts[at], ...(score !== undefined && { score }) }]
    }),
  }))
}
