/** Writes the page of the synthetic story, to be looked at: `npx tsx packages/report/src/testing/show.ts FILE`. */
import { writeFileSync } from 'node:fs'
import { buildReport } from '../build/build-report.js'
import { renderPage } from '../page/render-page.js'
import { syntheticMeasured, syntheticStory } from './synthetic.js'

const report = buildReport({
  ...{
    title: 'Synthetic story',
    createdAt: '2026-01-01T12:00:00.000Z',
    notes: ['ppo-0.01 has no model: it is left out'],
  },
  ...{ records: syntheticStory(), measured: syntheticMeasured() },
})
writeFileSync(process.argv[2], renderPage(report))
