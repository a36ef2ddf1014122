import type { Report } from '../report.js'
import { findings } from './findings.js'
import { html } from './html.js'
import { calibrationSection } from './sections/calibration.js'
import { costsSection } from './sections/costs.js'
import { learningSection } from './sections/learning.js'
import { methodSection } from './sections/method.js'
import { overOptimisationSection } from './sections/over-optimisation.js'
import { resultsSection } from './sections/results.js'
import { rewardKlSection } from './sections/reward-kl.js'
import { samplesSection } from './sections/samples.js'
import { winRateSection } from './sections/win-rates.js'
import { Html } from './html.js'
import { style } from './style.js'

const sections = [
  ...[rewardKlSection, resultsSection, overOptimisationSection, winRateSection, costsSection, learningSection],
  ...[calibrationSection, samplesSection, methodSection],
]

/** The report as one page of HTML: no script, no font, no picture, no address is loaded. */
export function renderPage(report: Report): string {
  const { title, createdAt, runs, methods, measured } = report
  const compared = `${runs.length} run${runs.length === 1 ? '' : 's'} of ${methods.map(({ label }) => label).join(', ')}`
  const said = findings(report)
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${title}</h1>
            <p class="sub">
              ${compared}${measured && html`; every model answered the same ${measured.prompts} held-out prompts`}.
              ${createdAt.slice(0, 16).replace('T', ' ')} UTC.
            </p>
            ${
              said.length > 0 &&
              html`<ul class="findings">
                ${said.map((sentence) => html`<li>${sentence}</li>`)}
              </ul>`
            }
          </header>
          ${sections.map((section) => section(report))}
        </main>
      </body>
    </html> `
  return page.text
}
