import type { Report } from '../../report.js'
import { html } from '../html.js'
import type { Html } from '../html.js'
import { duration } from '../numbers.js'
import { details, table } from '../table.js'

/** How it was measured, what is missing, and every run. */
export function methodSection(report: Report): Html {
  const { measured, machine, notes, runs } = report
  const { cpu, processors, memoryBytes, backend, device } = machine
  return html`<section>
    <h2>How it was measured</h2>
    <ul>
      ${
        measured &&
        html`<li>
            Every model answered the same ${measured.prompts} held-out prompts, at most ${measured.maxNewTokens} tokens
            each, at temperature ${measured.temperature}${measured.topP < 1 && html`, top-p ${measured.topP}`}, seed
            ${measured.seed}.
          </li>
          <li>
            KL is the mean over answers y ~ π of Σ log π(y)/π_ref(y), in nats; the reference is the model that training
            began with.
          </li>`
      }
      <li>
        Intervals hold 95 %: Student's t for means, Wilson's for shares; several seeds of a setting are pooled, over
        seeds and prompts together.
      </li>
      <li>
        ${cpu ? html`Machine: ${cpu}, ${processors} processors, ${Math.round(Number(memoryBytes) / 2 ** 30)} GiB of memory; ` : ''}backend
        ${backend ?? 'unknown'}${device !== undefined && html` on ${device}`}.
      </li>
    </ul>
    ${
      notes.length > 0 &&
      html`<h3>What is missing</h3>
        <ul>
          ${notes.map((note) => html`<li>${note}</li>`)}
        </ul>`
    }
    ${details(
      `All ${runs.length} runs`,
      table(
        ['run', 'model', 'seed', 'status', 'steps', 'time', 'folder'],
        runs.map(({ id, arm, seed, status, steps, totalSteps, seconds, folder }) => [
          ...[id, report.arms.find((one) => one.id === arm)?.label ?? arm, seed, status, `${steps} of ${totalSteps}`],
          ...[seconds === undefined ? '–' : duration(seconds), folder],
        ]),
      ),
    )}
  </section>`
}
