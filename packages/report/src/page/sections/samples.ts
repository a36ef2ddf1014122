import type { Report } from '../../report.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { short } from '../numbers.js'
import { rewardName } from '../words.js'

const longest = 600

export function samplesSection(report: Report): Html | undefined {
  const { samples, measured } = report
  if (samples.length === 0) return undefined
  const labelOf = (id: string): string => report.arms.find((arm) => arm.id === id)?.label ?? id
  const judge = measured?.judge
  return html`<section>
    <h2>Answers side by side</h2>
    <p class="lead">
      The first held-out prompts, answered by every model with the same random
      numbers${judge !== undefined && html`; the number is the ${rewardName(judge, report)}`}.
    </p>
    ${samples.map(
      ({ prompt, answers }) =>
        html`<article>
          <p class="prompt">${shortened(prompt.trim())}</p>
          <dl>
            ${answers.map(
              ({ arm, text, score }) =>
                html`<dt>${labelOf(arm)}${score !== undefined && html` <b>${short(score)}</b>`}</dt>
                  <dd>${shortened(text.trim()) || '(nothing)'}</dd>`,
            )}
          </dl>
        </article>`,
    )}
  </section>`
}

const shortened = (text: string): string => (text.length > longest ? `${text.slice(0, longest)} …` : text)
